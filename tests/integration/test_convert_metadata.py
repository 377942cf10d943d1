"""TFLite metadata in a converted model: other tools find it, and the model answers as before."""

import struct
import zipfile
from typing import Any

import msgspec
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from convert.golden import golden_chips
from convert.metadata import metadata, with_metadata
from convert.quantize import Job, quantize
from edge import runtime
from edge.classifier import SHIPPED, TfliteClassifier
from edge.contract.card import InputSpec, ModelCard, card_json, read_card
from edge.contract.chip import ChipSpec
from edge.contract.labels import FER2013_LABELS
from edge.errors import PermanentError
from edge.golden import replay
from tests.training_fakes import fer_rows, write_fer, write_random_model

CARD, _ = read_card(SHIPPED.read_bytes(), SHIPPED.name)
LARGEST_B = 3000
"""What metadata may add to a model."""


class Table:
    """A FlatBuffer's table read by hand, by field numbers: no code in common with what wrote it."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at

    def place(self, field: int) -> int:
        vtable = self.at - self.number("<i", self.at)
        inside = 4 + 2 * field < self.number("<H", vtable)
        offset = self.number("<H", vtable + 4 + 2 * field) if inside else 0
        return self.at + offset if offset else 0

    def number(self, form: str, at: int) -> Any:
        return struct.unpack_from(form, self.data, at)[0]

    def target(self, at: int) -> int:
        return at + self.number("<I", at)

    def scalar(self, field: int, form: str) -> Any:
        at = self.place(field)
        return self.number(form, at) if at else 0

    def table(self, field: int) -> "Table":
        return Table(self.data, self.target(self.place(field)))

    def text(self, field: int) -> str:
        at = self.target(self.place(field))
        return self.data[at + 4 : at + 4 + self.number("<I", at)].decode()

    def tables(self, field: int) -> list["Table"]:
        at = self.target(self.place(field))
        places = range(at + 4, at + 4 + 4 * self.number("<I", at), 4)
        return [Table(self.data, self.target(place)) for place in places]

    def floats(self, field: int) -> list[float]:
        at = self.target(self.place(field))
        return list(struct.unpack_from(f"<{self.number('<I', at)}f", self.data, at + 4))


def read(data: bytes) -> Table:
    assert data[4:8] == b"M001"
    return Table(data, struct.unpack_from("<I", data)[0])


def named(content: bytes) -> dict[str, bytes]:
    """The metadata entries of a model."""
    model = schema.Model.GetRootAs(content)
    entries = [model.Metadata(at) for at in range(model.MetadataLength())]
    return {each.Name().decode(): model.Buffers(each.Buffer()).DataAsNumpy().tobytes() for each in entries}


def places(content: bytes) -> list[int]:
    """Where in the file each buffer's bytes start."""
    model = schema.Model.GetRootAs(content)
    buffers = [model.Buffers(at) for at in range(model.BuffersLength())]
    return [each._tab.Vector(each._tab.Offset(4)) for each in buffers if each.DataLength()]


def bare(content: bytes) -> bytes:
    return content[: content.index(b"PK\x03\x04")]


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A random model of seconds, and what to make of it."""
    folder = tmp_path_factory.mktemp("run")
    csv = write_fer(folder / "fer.csv", fer_rows(210, 70))
    return Job(write_random_model(folder / "model"), csv, folder / "random.tflite", loader="fer2013-csv")


@pytest.fixture(scope="module")
def plain(job: Job) -> bytes:
    """The random model as TensorFlow converts it."""
    import keras

    from convert.calibration import extremes
    from convert.tflite import to_int8

    model = keras.models.load_model(job.model, compile=False)
    return to_int8(model, np.concatenate([extremes(48, 1), golden_chips(48, 1)]))


def answers(content: bytes) -> np.ndarray:
    interpreter = runtime.load(content, "x").interpreter
    ends = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    found = []
    for chip in golden_chips(48, 1):
        interpreter.set_tensor(ends[0], (chip ^ np.uint8(0x80)).view(np.int8)[np.newaxis])
        interpreter.invoke()
        found.append(interpreter.get_tensor(ends[1])[0])
    return np.stack(found)


def test_the_model_answers_as_before(plain: bytes):
    before = answers(plain)
    assert len(np.unique(before, axis=0)) > 8
    np.testing.assert_array_equal(answers(with_metadata(plain, CARD)), before)


def test_tensorflows_own_interpreter_takes_it(plain: bytes):
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(model_content=with_metadata(plain, CARD))
    interpreter.allocate_tensors()
    interpreter.invoke()
    assert interpreter.get_output_details()[0]["shape"].tolist() == [1, 7]
    assert interpreter.get_signature_list() == tf.lite.Interpreter(model_content=plain).get_signature_list()


def test_it_is_small_the_same_each_time_and_in_front_of_an_unchanged_model(plain: bytes):
    content = with_metadata(plain, CARD)
    assert content == with_metadata(plain, CARD)
    assert content[4:8] == b"TFL3"
    assert 0 < len(content) - len(plain) <= LARGEST_B
    assert content.rstrip(b"\0").endswith(plain.rstrip(b"\0"))


def test_weights_stay_where_kernels_can_read_them_in_place(plain: bytes):
    before, after = places(plain), places(with_metadata(plain, CARD))
    assert len(before) > 3
    assert [place % 16 for place in after] == [*(place % 16 for place in before), 0]


def test_what_the_converter_wrote_is_kept(plain: bytes):
    before, after = named(plain), named(with_metadata(plain, CARD))
    assert "min_runtime_version" in before
    assert before == {name: data for name, data in after.items() if name != "TFLITE_METADATA"}
    models = [schema.Model.GetRootAs(content) for content in (plain, with_metadata(plain, CARD))]
    assert models[0].Description() == models[1].Description() is not None
    assert models[0].Version() == models[1].Version() == 3
    assert models[0].SignatureDefsLength() == models[1].SignatureDefsLength() == 1


def test_it_says_what_goes_in_and_what_comes_out(plain: bytes):
    found = read(named(with_metadata(plain, CARD))["TFLITE_METADATA"])
    assert found.text(0) == CARD.name
    assert "Naming the apparent expression" in found.text(1)
    assert "An expression is not a feeling" in found.text(1)
    assert found.text(2).startswith("seed 1, steps ")
    assert found.text(5).startswith("Training data: FER2013")
    assert found.text(7) == "1.0.0"
    (graph,) = found.tables(3)
    (face,), (scores,) = graph.tables(2), graph.tables(3)
    image = face.table(3)
    assert image.scalar(0, "<B") == 2, "ImageProperties"
    assert image.table(1).scalar(0, "<b") == 2, "GRAYSCALE"
    size = image.table(1).table(1)
    assert (size.scalar(0, "<I"), size.scalar(1, "<I")) == (48, 48)
    (unit,) = face.tables(4)
    assert unit.scalar(0, "<B") == 1, "NormalizationOptions"
    assert (unit.table(1).floats(0), unit.table(1).floats(1)) == ([0.0], [1.0])
    assert (face.table(5).floats(0), face.table(5).floats(1)) == ([255.0], [0.0])
    assert scores.text(0) == "logits"
    assert f"divided by {CARD.temperature:g}" in scores.text(1)
    (labels,) = scores.tables(6)
    assert labels.text(0) == "labels.txt"
    assert labels.scalar(2, "<b") == 2, "TENSOR_AXIS_LABELS"


def test_another_scaling_and_colours_are_told_as_mean_and_deviation():
    card: ModelCard = msgspec.structs.replace(
        CARD, chip=ChipSpec(96, 3), input=InputSpec("float32", 2 / 255, -1.0), output="probabilities"
    )
    (graph,) = read(metadata(card)).tables(3)
    (face,), (scores,) = graph.tables(2), graph.tables(3)
    assert face.table(3).table(1).scalar(0, "<b") == 1, "RGB"
    assert (face.tables(4)[0].table(1).floats(0), face.tables(4)[0].table(1).floats(1)) == ([127.5], [127.5])
    assert (face.table(5).floats(0), face.table(5).floats(1)) == ([1.0], [-1.0])
    assert scores.text(0) == "probabilities"


def test_a_model_that_has_metadata_is_refused(plain: bytes):
    with pytest.raises(PermanentError, match="has TFLITE_METADATA already"):
        with_metadata(with_metadata(plain, CARD), CARD)


def test_quantize_writes_it_with_labels_and_costs(job: Job):
    result = quantize(job)
    content = job.out.read_bytes()
    card, _ = read_card(content, job.out.name)
    assert card_json(card) == card_json(result.card)
    assert card.schema == 2
    assert (card.cost.size_b, card.cost.parameters) == (len(bare(content)), result.card.recipe["parameters"])
    assert sum(card.figures["PublicTest"]["pictures"].values()) == 70
    assert set(card.figures["PublicTest"]["int8"]["precision"]) == set(FER2013_LABELS)
    assert read(named(content)["TFLITE_METADATA"]).text(0) == "random"
    with zipfile.ZipFile(job.out) as archive:
        assert archive.read("labels.txt").decode().split() == list(FER2013_LABELS)
    assert replay(TfliteClassifier(job.out)).passed


def test_mediapipes_own_reader_takes_it():
    reader = pytest.importorskip("mediapipe.tasks.metadata.metadata_schema_py_generated", reason="needs mediapipe")
    found = reader.ModelMetadata.GetRootAs(metadata(CARD))
    assert reader.ModelMetadata.ModelMetadataBufferHasIdentifier(metadata(CARD), 0)
    assert found.Name().decode() == CARD.name
    scores = found.SubgraphMetadata(0).OutputTensorMetadata(0)
    assert scores.AssociatedFiles(0).Type() == reader.AssociatedFileType.TENSOR_AXIS_LABELS
    image = reader.ImageProperties()
    held = found.SubgraphMetadata(0).InputTensorMetadata(0).Content().ContentProperties()
    image.Init(held.Bytes, held.Pos)
    assert image.ColorSpace() == reader.ColorSpaceType.GRAYSCALE
