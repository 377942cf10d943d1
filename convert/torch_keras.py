"""The Keras network with PyTorch's weights: `training.networks.stacked`, its constants as in PyTorch."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.torch_network import Affine, Block, Network
from training.networks import FAMILIES
from training.networks.settings import StackedCnn

MOMENTUM = 0.9
"""Of the moving statistics, as Keras counts it: 1 - 0.1, PyTorch's default."""

DROPOUT = 0.5
"""A state dict does not say it; it matters only if the network is trained on."""


def to_keras(network: Network) -> Any:
    """The Keras model, scaled pixels (N, S, S, C) to logits (N, classes), with the weights moved to their places."""
    model = _build(network)
    for number, block in enumerate(network.blocks, start=1):
        _set(model, f"block{number}_conv1", block, block.affine.weight.transpose(2, 3, 1, 0))
    _set(model, "dense", network.dense, _from_channels_last(network))
    model.get_layer("logits").set_weights(_weights(network.logits, network.logits.weight.T))
    return model


def _build(network: Network) -> Any:
    import keras  # noqa: PLC0415

    settings = StackedCnn(
        filters=tuple(len(block.affine.weight) for block in network.blocks),
        padding="same",
        normalised=True,
        block_dropout=0,
        dense=len(network.dense.affine.weight),
        dropout=DROPOUT,
    )
    affine = {f"block{number}_conv1": block.affine for number, block in enumerate(network.blocks, start=1)}
    affine |= {"dense": network.dense.affine, "logits": network.logits}

    def as_in_torch(layer: Any) -> Any:
        config = layer.get_config()
        if isinstance(layer, keras.layers.BatchNormalization):
            config |= {"epsilon": network.epsilon, "momentum": MOMENTUM, "dtype": "float32"}
            return keras.layers.BatchNormalization.from_config(config)
        if layer.name in affine:
            config["use_bias"] = affine[layer.name].bias is not None
        return type(layer).from_config(config)

    recipes = FAMILIES[StackedCnn].build(settings, network.shape, network.classes, "float32")
    # without its scaling: that is put in front with the model's adoption, which compares several
    behind_scale = keras.Model(recipes.get_layer("scale").output, recipes.output, name="from_torch")
    scaled = keras.Input(network.shape, name="scaled")
    return keras.models.clone_model(behind_scale, input_tensors=scaled, clone_function=as_in_torch)


def _set(model: Any, name: str, block: Block, kernel: NDArray[np.float32]) -> None:
    model.get_layer(name).set_weights(_weights(block.affine, kernel))
    norm = block.norm
    model.get_layer(f"{name}_norm").set_weights([norm.gamma, norm.beta, norm.mean, norm.variance])


def _weights(affine: Affine, kernel: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    return [kernel] if affine.bias is None else [kernel, affine.bias]


def _from_channels_last(network: Network) -> NDArray[np.float32]:
    """The hidden layer's kernel (H·W·C, out): PyTorch flattens (C, H, W), Keras (H, W, C)."""
    weight, side = network.dense.affine.weight, network.side_px
    outputs, channels = len(weight), len(network.blocks[-1].affine.weight)
    maps = weight.reshape(outputs, channels, side, side)
    return maps.transpose(2, 3, 1, 0).reshape(-1, outputs)
