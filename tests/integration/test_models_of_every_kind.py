"""Whatever a card or a contract describes runs; what contradicts it is refused, with what was found and expected."""

import tomllib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.annotate import Annotator
from edge.app import App
from edge.classifier import SHIPPED, ContractClassifier, TfliteClassifier, load_classifier
from edge.config import Config, DetectorConfig, ExpressionConfig, SourceConfig
from edge.config_layers import load
from edge.contract.chip import ChipSpec, chip_square, cut_chip
from edge.contract.labels import FER2013_LABELS
from edge.contract.terms import GivenContract
from edge.errors import ConfigError, PermanentError
from edge.events import scene_event
from edge.parts import build_classifier
from edge.pipeline import Pipeline
from edge.ports import ExpressionModel
from edge.smoothing import ExpressionRule
from edge.types import UNCERTAIN, Frame, Scene
from tests.fakes import FakeDetector, Ticking, face
from tests.tiny_models import Tiny, converted, without_card

FIVE = ("bored", "sleepy", "très content", "angry", "neutral")
SHUFFLED = ("happy", "angry", "neutral", "sad", "fear", "surprise", "disgust")

KINDS = {
    "grey 48, raw pixels, logits": Tiny(),
    "RGB 128, 0..1, five classes, probabilities": Tiny(128, 3, FIVE, 0, 1, output="probabilities"),
    "grey 224, -1..1, another order, logits": Tiny(224, 1, SHUFFLED, -1, 1),
    "int8, raw pixels": Tiny(dtype="int8"),
    "int8, -1..1, RGB": Tiny(96, 3, FIVE, -1, 1, dtype="int8"),
    "uint8, 0..1, probabilities": Tiny(64, 1, FIVE, 0, 1, dtype="uint8", output="probabilities"),
}
TOLERANCE = {"float32": 1e-4, "int8": 0.06, "uint8": 0.06}


def noise(seed: int = 5, side: int = 400) -> Frame:
    """A frame of coarse colours, so that no two faces look alike."""
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), np.uint8)
    return Frame(1, 0, cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC))


def seen(model: ExpressionModel, frame: Frame) -> Scene:
    """What the pipeline makes of two faces on a frame."""
    detector = FakeDetector((face(0.05, 0.1, 0.35), face(0.55, 0.4, 0.4)))
    return Pipeline(detector, model, Ticking(), rule=ExpressionRule(threshold=0.3)).step(frame)


def chips_of(frame: Frame, scene: Scene, spec: ChipSpec) -> np.ndarray:
    framing = FakeDetector.framing
    squares = [chip_square(track.box, frame.width, frame.height, framing, spec.margin) for track in scene.tracks]
    return np.stack([cut_chip(frame.bgr, square, spec) for square in squares])


def expression(*models: Path, **settings: Any) -> ExpressionConfig:
    return ExpressionConfig(model=tuple(map(str, models)), **settings)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each kind without a card."""
    folder = tmp_path_factory.mktemp("kinds")
    return {name: kind.write(folder / f"{index}.tflite") for index, (name, kind) in enumerate(KINDS.items())}


@pytest.fixture(scope="module")
def plain(files: dict[str, Path]) -> Path:
    return next(iter(files.values()))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("card", [True, False], ids=["by its card", "by a contract"])
def test_a_model_of_any_kind_names_the_faces_in_a_scene(kind: str, card: bool, files: dict[str, Path], tmp_path: Path):
    tiny, path = KINDS[kind], files[kind]
    if card:
        path = tiny.write(tmp_path / "card.tflite", card=True)
    model, notices = build_classifier(expression(path, contract=None if card else tiny.contract()))
    assert notices == ()
    assert model.views == (ChipSpec(size=tiny.side, channels=tiny.channels),)  # type: ignore[arg-type]
    frame = noise()
    scene = seen(model, frame)
    assert scene.labels == tiny.labels
    expected = tiny.probabilities(chips_of(frame, scene, model.views[0]))
    found = np.stack([track.scores for track in scene.tracks if track.scores is not None])
    np.testing.assert_allclose(found, expected, atol=TOLERANCE[tiny.dtype])
    assert {track.label for track in scene.tracks} <= {*tiny.labels, UNCERTAIN}
    event = scene_event(scene, "test", None)
    assert all(tuple(one.scores) == tiny.labels for one in event.faces)
    assert all((one.valence is None) == (tiny.labels == FIVE) for one in event.faces), "unknown words have no place"
    assert Annotator().draw(scene).shape == frame.pixels.shape


def test_a_contract_takes_margin_resize_and_temperature(plain: Path):
    tiny = KINDS["grey 48, raw pixels, logits"]
    given = tiny.contract(margin=1.3, resize="linear", temperature=2.5)
    model, _ = build_classifier(expression(plain, contract=given))
    assert model.views == (ChipSpec(48, 1, 1.3, "linear"),)
    frame = noise()
    scene = seen(model, frame)
    expected = tiny.probabilities(chips_of(frame, scene, model.views[0]), temperature=2.5)
    np.testing.assert_allclose(np.stack([track.scores for track in scene.tracks]), expected, atol=1e-4)  # type: ignore[arg-type]


def test_the_shipped_model_answers_the_same_under_a_contract_as_under_its_card(tmp_path: Path):
    path = tmp_path / "bare.tflite"
    path.write_bytes(without_card(SHIPPED.read_bytes()))
    carded = TfliteClassifier()
    temperature = carded.card.temperature
    given = GivenContract(labels=FER2013_LABELS, output="logits", scale=1, offset=0, temperature=temperature)
    bare, notices = build_classifier(expression(path, contract=given))
    assert notices == ()
    chips = carded.golden.chips
    np.testing.assert_array_equal(bare.classify(chips), carded.classify(chips))


def test_without_card_and_contract_it_is_refused_with_the_lines_that_let_it_run(plain: Path, tmp_path: Path):
    with pytest.raises(ConfigError, match=r"float32 \(1, 48, 48, 1\), its output float32 \(1, 7\)") as refusal:
        build_classifier(expression(plain))
    file = tmp_path / "config.toml"
    file.write_text(str(refusal.value).partition("\n")[2])
    assert tomllib.loads(file.read_text())["expression"]["contract"]["model"] == plain.name
    config = load(file, {"expression": {"model": str(plain)}}, {})
    assert build_classifier(config.expression)[0].labels == tuple(f"class {number}" for number in range(1, 8))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": FIVE}, "number of outputs is 7, its contract in the configuration says 5"),
        ({"size": 64}, r"input shape is \(1, 48, 48, 1\), its contract in the configuration says \(1, 64, 64, 1\)"),
        ({"channels": 3}, r"says \(1, 48, 48, 3\); correct the contract"),
        ({"output": "probabilities"}, r'outputs from -.*, its contract says "probabilities".*say output = "logits"'),
    ],
)
def test_a_contract_that_does_not_fit_is_refused(plain: Path, changes: dict[str, Any], message: str):
    given = KINDS["grey 48, raw pixels, logits"].contract(**changes)
    with pytest.raises(PermanentError, match=message):
        build_classifier(expression(plain, contract=given))


@pytest.mark.parametrize("kind", ["RGB 128, 0..1, five classes, probabilities", "uint8, 0..1, probabilities"])
def test_a_second_softmax_is_refused(kind: str, files: dict[str, Path]):
    given = KINDS[kind].contract(output="logits")
    with pytest.raises(PermanentError, match=r'gives probabilities already .*say output = "probabilities"'):
        build_classifier(expression(files[kind], contract=given))


def test_a_card_that_lies_about_its_output_is_refused(tmp_path: Path):
    tiny = Tiny(output="probabilities")
    path = tiny.write(tmp_path / "lying.tflite", card=True, output="logits")
    with pytest.raises(PermanentError, match=r'gives probabilities already .*its card says "logits"'):
        build_classifier(expression(path))


def test_pixels_scaled_once_too_often_are_noticed(plain: Path, tmp_path: Path):
    given = Tiny().contract(scale=1 / 255)
    with pytest.raises(PermanentError, match=r"answers nearly the same .*as 0 to 1, as the contract says"):
        build_classifier(expression(plain, contract=given))
    mild = Tiny().contract(scale=1 / 30)
    model, (notice,) = build_classifier(expression(plain, contract=mild))
    assert "one scaling too many" in notice
    assert model.labels == FER2013_LABELS


def test_pixels_that_were_not_scaled_are_noticed(tmp_path: Path):
    unit = Tiny(high=1)
    path = unit.write(tmp_path / "unit.tflite")
    assert build_classifier(expression(path, contract=unit.contract()))[1] == ()
    _, (notice,) = build_classifier(expression(path, contract=unit.contract(scale=1.0)))
    assert "as 0 to 255, as the contract says" in notice
    assert "a scaling too few" in notice


def test_a_doubtful_model_is_told_on_the_page(plain: Path):
    given = expression(plain, contract=Tiny().contract(scale=1 / 30))
    app = App(Config(SourceConfig("demo:"), DetectorConfig("haar"), given))
    assert any("answers nearly the same" in notice for notice in app.status().notices)


def test_a_contract_may_agree_with_a_card_and_must_not_contradict_it(tmp_path: Path):
    tiny = Tiny()
    path = tiny.write(tmp_path / "card.tflite", card=True)
    agreeing, _ = build_classifier(expression(path, contract=tiny.contract(margin=1.0, size=48)))
    assert isinstance(agreeing, TfliteClassifier)
    with pytest.raises(
        ConfigError, match=r"labels happy.* instead of the card's angry.*scale 0\.0039 instead of the card's 1"
    ):
        build_classifier(expression(path, contract=tiny.contract(labels=SHUFFLED, scale=0.0039)))


def test_models_together_give_the_mean_of_what_each_says_to_its_own_chip(files: dict[str, Path], tmp_path: Path):
    one, other = Tiny(), KINDS["grey 224, -1..1, another order, logits"]
    carded = one.write(tmp_path / "one.tflite", card=True)
    bare = files["grey 224, -1..1, another order, logits"]
    contract = other.contract(margin=1.4, model=bare.name)
    model, _ = build_classifier(expression(carded, bare, contract=contract))
    assert model.views == (ChipSpec(48), ChipSpec(224, margin=1.4))
    assert model.name == f"tiny + {bare.name}"
    frame = noise()
    scene = seen(model, frame)
    assert scene.labels == FER2013_LABELS, "in the order of the first"
    order = [SHUFFLED.index(label) for label in FER2013_LABELS]
    first, second = (chips_of(frame, scene, view) for view in model.views)
    expected = (one.probabilities(first) + other.probabilities(second)[:, order]) / 2
    found = np.stack([track.scores for track in scene.tracks if track.scores is not None])
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert found.dtype == np.float32
    assert not any(track.scores.flags.writeable for track in scene.tracks if track.scores is not None)


def test_members_that_want_the_same_chip_share_it(tmp_path: Path):
    paths = [Tiny(seed=seed).write(tmp_path / f"{seed}.tflite", card=True) for seed in (1, 2)]
    assert build_classifier(expression(*paths))[0].views == (ChipSpec(),)


def test_each_member_has_to_prove_itself(tmp_path: Path):
    sound = Tiny().write(tmp_path / "sound.tflite", card=True)
    content = Tiny(seed=2).carded()
    weights = Tiny(seed=2).weights.T.tobytes()
    damaged = tmp_path / "damaged.tflite"
    assert weights in content
    damaged.write_bytes(content.replace(weights, weights[::-1]))
    with pytest.raises(PermanentError, match=r"damaged\.tflite does NOT answer as when it was made"):
        build_classifier(expression(sound, damaged))


def test_where_xnnpack_is_missing_that_is_said_to_be_the_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    content, weights = Tiny().carded(), Tiny().weights.T.tobytes()
    path = tmp_path / "other.tflite"
    path.write_bytes(content.replace(weights, weights[::-1]))

    def without(path: Path, given: GivenContract | None) -> ContractClassifier:
        classifier = load_classifier(path, given)
        classifier.xnnpack = False
        return classifier

    with pytest.raises(PermanentError, match="it is damaged, or its runtime is"):
        build_classifier(expression(path))
    monkeypatch.setattr("edge.parts.load_classifier", without)
    with pytest.raises(PermanentError, match=r"runs it without XNNPACK, expected with it.*`pip install --upgrade"):
        build_classifier(expression(path))


def test_models_of_other_classes_cannot_answer_together(files: dict[str, Path]):
    five = "RGB 128, 0..1, five classes, probabilities"
    contract = KINDS[five].contract(model="1.tflite")
    with pytest.raises(ConfigError, match=r"knows angry, disgust.*1\.tflite knows bored, sleepy"):
        build_classifier(expression(SHIPPED, files[five], contract=contract))


def test_two_contracts_for_one_file_are_refused(plain: Path):
    twice = (Tiny().contract(model=plain.name), Tiny().contract(model=str(plain)))
    with pytest.raises(ConfigError, match="2 contracts in the configuration are for"):
        build_classifier(expression(plain, contract=twice))


def test_with_several_faces_and_models_training_measures_the_same(tmp_path: Path):
    from training.predictors import ensemble, flipped, load_predictor

    paths = [
        Tiny(seed=1).write(tmp_path / "a.tflite", card=True),
        Tiny(48, 1, SHUFFLED, seed=2).write(tmp_path / "b.tflite", card=True),
        Tiny(48, 1, SHUFFLED, seed=3, dtype="int8").write(tmp_path / "c.tflite", card=True),
    ]
    chips = np.random.default_rng(3).integers(0, 256, (5, 48, 48, 1), np.uint8)
    reference = ensemble([load_predictor(path) for path in paths])
    for flip, asked in ((False, reference), (True, flipped(reference))):
        model, _ = build_classifier(expression(*paths, flip=flip))
        assert model.name.endswith("with the mirror image") is flip
        np.testing.assert_allclose(np.stack(model.classify(chips)), asked.probabilities(chips), atol=1e-6)


def test_a_face_and_its_mirror_image_get_the_same_answer_with_flip_and_not_without(plain: Path):
    chips = np.random.default_rng(3).integers(0, 256, (2, 48, 48, 1), np.uint8)
    mirrored = chips[:, :, ::-1].copy()
    for flip in (True, False):
        model, _ = build_classifier(expression(plain, flip=flip, contract=Tiny().contract()))
        same = np.allclose(model.classify(chips), model.classify(mirrored), atol=1e-6)
        assert same is flip


def test_pictures_may_have_a_model_of_their_own(tmp_path: Path):
    cv2.imwrite(str(tmp_path / "picture.png"), noise().bgr)
    settings = ExpressionConfig(still_model=str(Tiny().write(tmp_path / "still.tflite", card=True)))
    for uri, name in ((f"images:{tmp_path}/*.png?realtime=0", "tiny"), ("demo:", TfliteClassifier().name)):
        app = App(Config(SourceConfig(uri), DetectorConfig("haar"), settings))
        assert app.status().model == name
        assert app.status().labels == FER2013_LABELS


def test_a_truncated_model_is_refused_with_a_contract_too(plain: Path, tmp_path: Path):
    path = tmp_path / "short.tflite"
    path.write_bytes(plain.read_bytes()[:700])
    with pytest.raises(PermanentError, match=r"no TFLite runtime can run .*short\.tflite \(700 bytes\)"):
        build_classifier(expression(path, contract=Tiny().contract()))


@pytest.mark.parametrize("card", [True, False])
def test_weights_that_are_no_numbers_are_refused(card: bool, tmp_path: Path):
    tiny = Tiny()
    content, weights = tiny.carded(), tiny.weights.T.tobytes()
    assert weights in content
    path = tmp_path / "nan.tflite"
    path.write_bytes(content.replace(weights, np.full(tiny.weights.shape, np.nan, np.float32).tobytes()))
    if not card:
        path.write_bytes(without_card(path.read_bytes()))
    with pytest.raises(PermanentError, match="values that are no numbers"):
        build_classifier(expression(path, contract=tiny.contract()))


def shapes(name: str) -> bytes:
    """Models of other tasks."""
    import tensorflow as tf

    chip = [(1, 48, 48, 1)]
    match name:
        case "two inputs":
            return converted(lambda a, b: tf.reshape(a + b, (1, -1))[:, :7], chip * 2)
        case "two outputs":
            return converted(lambda a: (tf.reshape(a, (1, -1))[:, :7], a + 1.0), chip)
        case "a picture":
            return converted(lambda a: a * 2.0, chip)
        case "no square":
            return converted(lambda a: tf.reshape(a, (1, -1))[:, :7], [(1, 48, 40, 1)])
        case "a batch":
            return converted(lambda a: tf.reshape(a, (4, -1))[:, :7], [(4, 48, 48, 1)])
        case _:
            one = tf.constant(1.0)
            return converted(
                lambda a: tf.reshape(tf.raw_ops.Betainc(a=a + one, b=a + one, x=a), (1, -1))[:, :7], chip, custom=True
            )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("two inputs", r"takes 2 \(float32 \(1, 48, 48, 1\); float32 \(1, 48, 48, 1\)\), expected one square chip"),
        ("two outputs", r"gives 2 \(float32 .*\), expected one \(1, classes\)"),
        ("a picture", r"gives float32 \(1, 48, 48, 1\), expected one \(1, classes\)"),
        ("no square", r"takes float32 \(1, 48, 40, 1\), expected one square chip"),
        ("a batch", r"takes float32 \(4, 48, 48, 1\), .* and gives float32 \(4, 7\)"),
        ("custom", "unresolved custom op: Betainc.*Convert it with TFLite's built-in operators only"),
    ],
)
def test_a_model_of_another_task_is_refused_with_or_without_a_contract(name: str, message: str, tmp_path: Path):
    path = tmp_path / "other.tflite"
    path.write_bytes(shapes(name))
    for given in (None, Tiny().contract()):
        with pytest.raises(PermanentError, match=message):
            load_classifier(path, given)


def test_a_single_model_stands_between_pipeline_and_interpreter_alone():
    model, _ = build_classifier()
    assert isinstance(model, ContractClassifier), "no wrapper where there is nothing to average"
