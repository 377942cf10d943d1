"""The network family: what is exported does what was trained."""

import numpy as np
import pytest

from edge.errors import PermanentError
from tests.training_fakes import RECIPES, noise_chips
from training import learner
from training.cli import main
from training.cost import macs
from training.networks import FAMILIES, Family, qarepvgg
from training.networks.settings import QaRepVgg
from training.recipe import Recipe, load_recipe

keras = pytest.importorskip("keras")

from training.networks.normalization import BatchNormalization  # noqa: E402
from training.networks.rep_block import RepBlock  # noqa: E402

COMPACT = load_recipe(RECIPES / "compact.toml")
TINY = load_recipe(RECIPES / "tiny.toml")


def unsettle(model, seed: int = 0) -> None:
    """Give normalisations and biases values as after training, so that folding them is no identity."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        if "variance" in variable.path or "gamma" in variable.path:
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))
        elif len(variable.shape) == 1:
            variable.assign(rng.normal(0, 0.1, variable.shape))


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("channels", [3, 5])
@pytest.mark.parametrize("sides", [(8, 8), (7, 7), (9, 6)])
def test_a_block_folds_to_one_convolution(strides: int, channels: int, sides: tuple[int, int]):
    rng = np.random.default_rng(1)
    pictures = rng.normal(size=(2, *sides, channels)).astype(np.float32)
    block = RepBlock(5, strides=strides)
    block(pictures)
    block.set_weights([rng.uniform(-1, 1, value.shape) ** 2 + 0.1 for value in block.get_weights()])
    plain = keras.layers.Conv2D(5, 3, strides=strides, padding="same", activation="relu")
    plain(pictures)
    plain.set_weights(block.folded())
    expected = keras.ops.convert_to_numpy(block(pictures))
    assert expected.max() > 1
    assert keras.ops.convert_to_numpy(plain(pictures)) == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_the_shipped_model_is_as_small_as_promised():
    model = learner.build(COMPACT, 7, seed=1)
    unsettle(model)
    plain, error = learner.folded(COMPACT, model, noise_chips(16))
    assert error <= 10 * learner.MOST_FOLD_ERROR  # its logits are large: it has never learnt
    assert plain.count_params() == 681_223
    assert macs(plain) == 36_590_400
    assert plain.count_params() < 700_000  # an int8 file of at most 750 kB


def test_the_exported_model_is_made_of_plain_float32_layers_and_ends_in_logits():
    model = learner.build(COMPACT, 7, seed=1)
    plain, _ = learner.folded(COMPACT, model, noise_chips(4))
    kinds = [type(layer) for layer in plain.layers]
    layers = keras.layers
    assert kinds == [layers.InputLayer, layers.Rescaling, *[layers.Conv2D] * 10, layers.Flatten, layers.Dense]
    assert {layer.dtype_policy.name for layer in plain.layers} == {"float32"}
    assert plain.layers[-1].activation is keras.activations.linear
    assert (plain.input_shape, plain.output_shape) == ((None, 48, 48, 1), (None, 7))


def test_the_scale_is_in_the_graph():
    plain, _ = learner.folded(TINY, learner.build(TINY, 7, seed=1), noise_chips(4))
    scale = keras.Model(plain.input, plain.layers[1].output)
    pixels = np.full((1, 48, 48, 1), 255, np.float32)
    pixels[0, 0, 0] = 0
    scaled = keras.ops.convert_to_numpy(scale(pixels))
    assert (scaled.min(), scaled.max()) == pytest.approx((-1, 1))


def test_computing_in_bfloat16_keeps_weights_and_logits_in_float32():
    model = FAMILIES[QaRepVgg].build(QaRepVgg(), (48, 48, 1), 7, "bfloat16")
    assert {str(weight.dtype) for weight in model.weights} == {"float32"}
    assert model.output.dtype == "float32"
    assert model.get_layer("stem").compute_dtype == "bfloat16"


def test_the_fused_normalisation_is_keras_own():
    pictures = np.random.default_rng(0).normal(3, 2, (32, 12, 12, 4)).astype(np.float32)
    ours, theirs = BatchNormalization(), keras.layers.BatchNormalization()
    for training in (True, True, False):
        one, other = (keras.ops.convert_to_numpy(layer(pictures, training=training)) for layer in (ours, theirs))
        assert one == pytest.approx(other, abs=1e-3)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert one == pytest.approx(other, rel=1e-3)


def test_a_fold_that_forgets_a_layer_is_refused(monkeypatch: pytest.MonkeyPatch):
    def careless(model):
        plain = qarepvgg.fold(model)
        plain.layers[2].set_weights([np.zeros_like(value) for value in plain.layers[2].get_weights()])
        return plain

    monkeypatch.setattr(learner, "FAMILIES", {QaRepVgg: Family(qarepvgg.build, careless)})
    with pytest.raises(PermanentError, match=r"folding changed the logits by .*, expected at most 0.0"):
        learner.folded(TINY, learner.build(TINY, 7, seed=1), noise_chips(4))


def test_weights_that_are_not_finite_are_not_exported():
    model = learner.build(TINY, 7, seed=1)
    model.get_layer("logits").kernel.assign(np.full((model.get_layer("logits").kernel.shape), np.nan))
    with pytest.raises(PermanentError, match="folding changed the logits by nan"):
        learner.folded(TINY, model, noise_chips(4))


def test_the_seed_decides_the_first_weights():
    one, same, other = (learner.build(TINY, 7, seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def stepped(recipe: Recipe, steps: int):
    model = learner.build(recipe, 7, seed=1)
    rng = np.random.default_rng(0)
    for _ in range(steps):
        pictures = rng.uniform(0, 255, (16, 48, 48, 1)).astype(np.float32)
        model.train_on_batch(pictures, np.eye(7, dtype=np.float32)[rng.integers(0, 7, 16)])
    return model


def test_the_average_is_the_running_mean_of_the_weights():
    kernels = []
    expected = None
    for steps in (1, 2, 3):
        kernel = stepped(TINY, steps).get_layer("logits").kernel.numpy()
        kernels.append(kernel)
        expected = kernel if expected is None else 0.9 * expected + 0.1 * kernel
    model = stepped(TINY, 3)
    with learner.averaged(model, []):
        assert model.get_layer("logits").kernel.numpy() == pytest.approx(expected, abs=1e-6)
    assert np.array_equal(model.get_layer("logits").kernel.numpy(), kernels[-1])


def test_the_averaged_model_has_statistics_of_its_own_and_leaves_no_trace():
    model = stepped(TINY, 3)
    before = [keras.ops.convert_to_numpy(value).copy() for value in learner.state(model)]
    pictures = noise_chips(32).astype(np.float32)
    with learner.averaged(model, [pictures[:16], pictures[16:]]):
        stem = model.get_layer("stem")
        scaled = pictures / 127.5 - 1
        wide = keras.ops.conv(scaled, stem.kernel, strides=2, padding="same")
        expected = keras.ops.convert_to_numpy(wide).mean(axis=(0, 1, 2))
        assert stem.branch_norm.moving_mean.numpy() == pytest.approx(expected, abs=1e-4)
    after = [keras.ops.convert_to_numpy(value).copy() for value in learner.state(model)]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert stem.branch_norm.momentum == 0.99


def test_normalisations_and_biases_do_not_decay():
    model = learner.build(TINY, 7, seed=1)
    decaying = {variable.path for variable in model.trainable_variables if model.optimizer._use_weight_decay(variable)}
    assert decaying == {variable.path for variable in model.trainable_variables if "kernel" in variable.path}


def test_the_command_lists_every_recipes_network(capsys: pytest.CaptureFixture[str]):
    assert main(["networks"]) == 0
    printed = capsys.readouterr().out
    for recipe in RECIPES.glob("*.toml"):
        assert f"| {recipe.stem} |" in printed
    assert "681,223" in printed, "ours, as shipped"


@pytest.mark.parametrize("at", ["statistics", "inside"])
def test_whatever_fails_while_the_weights_are_averaged_leaves_the_model_as_it_was(at: str):
    model = learner.build(TINY, 7, seed=1)
    pixels = noise_chips(16).astype(np.float32)
    for _ in range(2):  # so that the mean differs from the weights
        model.train_on_batch(pixels, np.eye(7, dtype=np.float32)[np.arange(16) % 7])
    before = [np.array(value) for value in model.get_weights()]

    def pictures():
        yield pixels
        if at == "statistics":
            raise OSError("the file is gone")

    def fail() -> None:
        with learner.averaged(model, pictures()):
            assert not all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="is gone" if at == "statistics" else "is full"):
        fail()
    for one, other in zip(model.get_weights(), before, strict=True):
        assert np.array_equal(one, other)
    momenta = {layer.momentum for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)}
    assert 0 not in momenta
