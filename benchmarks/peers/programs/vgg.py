"""`python -m benchmarks.peers.programs.vgg OUT`: the tutorials' network, two convolutions a block of 32, 64, 128.

That of `training/recipes/vgg-pairs.toml`, written as tutorials write it: 48×48 grey in 0..1, softmax of seven classes.
Its weights are random: what it answers does not count here, and it costs the same.
"""

import sys

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
SIDE_PX = 48
FILTERS = (32, 64, 128)
DENSE = 256


def build(path: str) -> None:
    """Write the network as a .keras file."""
    import keras  # noqa: PLC0415

    keras.utils.set_random_seed(1)
    layers = keras.layers
    model = keras.Sequential([keras.Input((SIDE_PX, SIDE_PX, 1))])
    for filters in FILTERS:
        for _ in range(2):
            model.add(layers.Conv2D(filters, 3, padding="same"))
            model.add(layers.BatchNormalization())
            model.add(layers.Activation("relu"))
        model.add(layers.MaxPooling2D())
        model.add(layers.Dropout(0.25))
    model.add(layers.Flatten())
    model.add(layers.Dense(DENSE))
    model.add(layers.BatchNormalization())
    model.add(layers.Activation("relu"))
    model.add(layers.Dropout(0.5))
    model.add(layers.Dense(len(LABELS), activation="softmax"))
    model.save(path)


if __name__ == "__main__":
    build(sys.argv[1])
