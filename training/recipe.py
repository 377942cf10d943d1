"""A recipe says everything about a training run that is not data or seed. TOML in, frozen structs out."""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from edge.errors import ConfigError
from training.data.options import LoaderOptions
from training.networks.settings import NetworkSettings

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class DataSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where faces come from and how they are divided.

    Attributes:
        loader: name in `training.data.LOADERS`.
        train_split: what is learnt from, less the hold-out.
        report_split: what is only reported.
        holdout_share: of `train_split`, kept for selection and calibration.
        duplicate_correlation: chips more alike than this are one group, never divided.
        options: of the loader: the class map, the chips' size and channels, …
    """

    loader: str = "fer2013-csv"
    train_split: str = "Training"
    report_split: str = "PublicTest"
    holdout_share: Annotated[float, msgspec.Meta(gt=0, le=0.5)] = 0.1
    duplicate_correlation: Annotated[float, msgspec.Meta(gt=0.5, le=1)] = 0.985
    options: LoaderOptions = LoaderOptions()


class AugmentSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far a view may differ from its picture. Defaults change nothing.

    Attributes:
        flip_share: of the views, mirrored.
        roll_deg: rotation, ± degrees.
        scale: ± share of the size.
        aspect: ± share of width against height.
        shift: ± share of the side, in x and y.
        shear: ± px to the side for each px down.
        wide_share: of the views, with the wider roll and scale below instead.
        wide_roll_deg: as `roll_deg`.
        wide_scale: as `scale`.
        contrast: ± share, about the picture's mean.
        brightness: ± share of the full range.
        blur_share: of the views, blurred.
        blur_sigma_px: least and greatest sigma of the Gaussian.
        small_share: of the views, reduced and enlarged again.
        small_px: least and greatest side they are reduced to.
        noise_share: of the views, with noise.
        noise_sigma: least and greatest deviation, in grey levels.
        erase_share: of the views, with a rectangle hidden.
        erase_side: least and greatest side of the rectangle, as a share of the picture's side.
    """

    flip_share: Share = 0
    roll_deg: Annotated[float, msgspec.Meta(ge=0, le=180)] = 0
    scale: Annotated[float, msgspec.Meta(ge=0, le=0.9)] = 0
    aspect: Annotated[float, msgspec.Meta(ge=0, le=0.9)] = 0
    shift: Share = 0
    shear: Share = 0
    wide_share: Share = 0
    wide_roll_deg: Annotated[float, msgspec.Meta(ge=0, le=180)] = 0
    wide_scale: Annotated[float, msgspec.Meta(ge=0, le=0.9)] = 0
    contrast: Share = 0
    brightness: Share = 0
    blur_share: Share = 0
    blur_sigma_px: tuple[Positive, Positive] = (0.4, 1.6)
    small_share: Share = 0
    small_px: tuple[Annotated[int, msgspec.Meta(ge=4, le=48)], Annotated[int, msgspec.Meta(ge=4, le=48)]] = (16, 40)
    noise_share: Share = 0
    noise_sigma: tuple[Positive, Positive] = (4, 20)
    erase_share: Share = 0
    erase_side: tuple[Share, Share] = (0.15, 0.4)

    def __post_init__(self) -> None:
        for name in ("blur_sigma_px", "small_px", "noise_sigma", "erase_side"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name} = [{low}, {high}]: expected the smaller value first")


class OptimiserSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to learn. An evaluation is one on the hold-out, every `Recipe.evaluate_every` epochs.

    Attributes:
        epochs: passes over the training part.
        batch: pictures a step.
        learning_rate: its peak; with AdamW about a hundredth of what SGD takes.
        warmup_epochs: until the peak, linearly.
        momentum: of SGD (Nesterov's), or the decay of AdamW's first moment.
        weight_decay: decoupled: each step takes this share × learning rate off every kernel (not off
            normalisation and biases). As it is not amplified by momentum, the 2e-4 of an L2 recipe with
            momentum 0.9 is 2e-3 here.
        label_smoothing: share of the target spread over all classes.
        average: decay per step of the running mean of the weights (EMA) that is evaluated and exported.
        precision: of the arithmetic while training; weights, statistics and the result are float32 always.
        method: SGD, or AdamW (Loshchilov & Hutter 2019).
        schedule: how the rate falls after the warm-up: as a half cosine, or by `plateau_factor` whenever the negative
            log-likelihood has not fallen for `plateau_patience` evaluations.
        plateau_factor: of the rate.
        plateau_patience: evaluations.
        stop_patience: end the run when the negative log-likelihood has not fallen for so many evaluations; 0: never.
        keep: export the weights of the last step, or those of the evaluation with the least negative log-likelihood.
        balance: what is done about rare classes: nothing; weights of the loss inverse to the class's share; or each
            epoch shows every class equally often, rare pictures in several views.
        mixup: alpha of the Beta distribution that mixes each picture with another (Zhang et al. 2018); 0: no mixing.
    """

    epochs: Count
    batch: Annotated[int, msgspec.Meta(ge=2)] = 128
    learning_rate: Positive = 0.1
    warmup_epochs: Annotated[float, msgspec.Meta(ge=0)] = 2
    momentum: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.9
    weight_decay: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 2e-3
    label_smoothing: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.1
    average: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.999
    precision: Literal["float32", "bfloat16"] = "float32"
    method: Literal["sgd", "adamw"] = "sgd"
    schedule: Literal["cosine", "plateau"] = "cosine"
    plateau_factor: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.5
    plateau_patience: Count = 3
    stop_patience: Annotated[int, msgspec.Meta(ge=0)] = 0
    keep: Literal["last", "best"] = "last"
    balance: Literal["none", "weights", "sampling"] = "none"
    mixup: Annotated[float, msgspec.Meta(ge=0, le=10)] = 0

    def __post_init__(self) -> None:
        if self.warmup_epochs >= self.epochs:
            raise ValueError(f"warmup_epochs = {self.warmup_epochs}: expected less than epochs = {self.epochs}")


class SoftLabelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Distillation (Hinton et al. 2015) from answers that were worked out before.

    Attributes:
        path: a file as `python -m training teach` makes it; relative to where the program is started.
        weight: of the soft label in the target; the rest is the true class.
    """

    path: str
    weight: Share = 0.7


class InitialSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a run begins with in place of random weights: another run of the same network.

    Attributes:
        checkpoint: of that run, `checkpoint.npz` in its folder; relative to where the program is started. Its weights
            are taken, with their averages and the optimiser's momentum.
    """

    checkpoint: str


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to train one network.

    Attributes:
        name: of the recipe; travels with the model.
        description: one sentence for people.
        optimiser: how to learn.
        network: what to train, a family's settings with its `family` name.
        data: where faces come from.
        augment: how they are varied.
        evaluate_every: epochs between evaluations on the hold-out.
        origin: where the network comes from; empty: as its family says.
        soft_labels: a teacher's answers to learn from as well.
        initial: another run to begin with.
    """

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    description: str
    optimiser: OptimiserSettings
    network: NetworkSettings
    data: DataSettings = DataSettings()
    augment: AugmentSettings = AugmentSettings()
    evaluate_every: Count = 5
    origin: str = ""
    soft_labels: SoftLabelSettings | None = None
    initial: InitialSettings | None = None


def load_recipe(path: Path) -> Recipe:
    """Read and check a recipe.

    Raises:
        ConfigError: no such file, not TOML, an unknown key, a value out of range; the message names the key.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the recipe ({error.strerror}); expected a TOML file") from error
    try:
        return msgspec.toml.decode(text, type=Recipe)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}; see training/recipe.py for the keys and their ranges") from error


def completed(resolved: dict[str, Any]) -> dict[str, Any]:
    """A resolved recipe of an earlier version with the defaults of what has been added since.

    Unreadable ones come back as they are, so that a comparison shows the difference.
    """
    try:
        return msgspec.json.decode(msgspec.json.encode(msgspec.convert(resolved, Recipe)))
    except msgspec.ValidationError:
        return resolved
