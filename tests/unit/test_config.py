"""Settings: layered, checked, and clear about what is wrong."""

import errno
import os
from pathlib import Path

import pytest

from edge.config import Config
from edge.config_layers import load
from edge.contract.terms import GivenContract
from edge.errors import ConfigError


def written(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


def test_without_anything_the_defaults_hold():
    assert load(environment={}) == Config()


def test_flags_beat_the_environment_which_beats_the_file(tmp_path: Path):
    file = written(tmp_path, "[detector]\ninterval = 2\nmin_face_px = 50\n[stream]\nquality = 60\n")
    environment = {"EMOTION_EDGE_DETECTOR_INTERVAL": "3", "EMOTION_EDGE_STREAM_QUALITY": "70"}
    config = load(file, {"stream": {"quality": 90}}, environment)
    assert (config.detector.min_face_px, config.detector.interval, config.stream.quality) == (50, 3, 90)


def test_the_environment_may_hold_floats_and_switches():
    environment = {"EMOTION_EDGE_EXPRESSION_THRESHOLD": "0.3", "EMOTION_EDGE_SERVER_INSECURE": "true"}
    config = load(environment=environment)
    assert config.expression.threshold == 0.3
    assert config.server.insecure is True


def test_an_unknown_key_is_refused_with_the_nearest_known_one(tmp_path: Path):
    file = written(tmp_path, "[detector]\nintervall = 2\n")
    with pytest.raises(ConfigError, match=r"unknown key `detector\.intervall` in .*did you mean `detector\.interval`"):
        load(file, environment={})


def test_an_unknown_section_is_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match="unknown section `camera`"):
        load(written(tmp_path, "[camera]\nx = 1\n"), environment={})


def test_a_value_out_of_range_names_its_key_and_layer(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"(?s)config\.toml.*<= 100.*stream\.quality"):
        load(written(tmp_path, "[stream]\nquality = 101\n"), environment={})


@pytest.mark.parametrize("degrees", [45, -90, 360])
def test_a_picture_is_turned_by_quarters_only(degrees: int):
    with pytest.raises(ConfigError, match=r"source\.rotate.*allowed: 0, 90, 180, 270"):
        load(flags={"source": {"rotate": degrees}}, environment={})
    with pytest.raises(ConfigError, match=r"EMOTION_EDGE_SOURCE_ROTATE: .*allowed: 0, 90, 180, 270"):
        load(environment={"EMOTION_EDGE_SOURCE_ROTATE": str(degrees)})


def test_a_name_that_is_no_text_is_refused():
    with pytest.raises(ConfigError, match=r"source\.uri in the command line is not in UTF-8: caf\\xe9\.mp4"):
        load(flags={"source": {"uri": "caf\udce9.mp4"}}, environment={})


def test_regions_stand_in_the_environment_as_json():
    environment = {"EMOTION_EDGE_PRIVACY_MASKS": "[[0, 0, 0.3, 1], [0.8, 0, 0.2, 0.4]]"}
    assert load(environment=environment).privacy.masks == ((0, 0, 0.3, 1), (0.8, 0, 0.2, 0.4))
    for wrong in ("[[0, 0, 0.3", "[[0, 0, 0.3]]", "left half"):
        with pytest.raises(ConfigError, match="in EMOTION_EDGE_PRIVACY_MASKS"):
            load(environment={"EMOTION_EDGE_PRIVACY_MASKS": wrong})


@pytest.mark.parametrize("region", ["[0.2, 0.2, 0.0, 1.0]", "[0.2, 0.2, 0.5, 0.0]", "[0.2, 0.2, 1.5, 0.5]"])
def test_a_region_that_would_hide_nothing_is_refused(tmp_path: Path, region: str):
    with pytest.raises(ConfigError, match=r"privacy\.masks\[0\]"):
        load(written(tmp_path, f"[privacy]\nmasks = [{region}]\n"), environment={})


def test_the_picture_may_be_turned_in_the_environment():
    environment = {"EMOTION_EDGE_SOURCE_ROTATE": "270", "EMOTION_EDGE_SOURCE_MIRROR": "true"}
    source = load(environment=environment).source
    assert (source.rotate, source.mirror) == (270, True)


def test_a_wrong_type_in_the_environment_names_the_variable():
    with pytest.raises(ConfigError, match="'often' in EMOTION_EDGE_DETECTOR_INTERVAL"):
        load(environment={"EMOTION_EDGE_DETECTOR_INTERVAL": "often"})


def test_an_unknown_variable_is_refused_but_only_in_our_sections():
    """Kubernetes and Docker set others, after the name of a service or a container."""
    with pytest.raises(ConfigError, match="did you mean `EMOTION_EDGE_DETECTOR_INTERVAL`"):
        load(environment={"EMOTION_EDGE_DETECTOR_INTERVALL": "3"})
    load(environment={"EMOTION_EDGE_DATA": "/data", "EMOTION_EDGE_MODELS": "/models"})
    load(environment={"EMOTION_EDGE_SERVICE_HOST": "10.0.0.7", "EMOTION_EDGE_PORT_8080_TCP_ADDR": "10.0.0.7"})


def test_an_unknown_detector_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="the command line"):
        load(flags={"detector": {"name": "yolo"}}, environment={})


def test_a_missing_file_and_a_file_that_is_no_toml_are_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot read the configuration"):
        load(tmp_path / "none.toml", environment={})
    with pytest.raises(ConfigError, match="is no TOML"):
        load(written(tmp_path, "[detector\n"), environment={})


def test_who_may_not_read_the_services_file_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refused(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    own = written(tmp_path, "")
    monkeypatch.setattr(Path, "read_text", refused)
    with pytest.raises(ConfigError, match=r"Permission denied; check the path"):
        load(own, environment={})
    monkeypatch.setattr("edge.config_layers.SYSTEM_FILE", own)
    with pytest.raises(ConfigError, match=r"the service's user only: use sudo, or name another with --config"):
        load(environment={"HOME": str(tmp_path)})


def test_a_value_where_a_section_belongs_is_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"\[detector\] is a section"):
        load(written(tmp_path, "detector = 3\n"), environment={})


def test_the_users_file_is_found_without_naming_it(tmp_path: Path):
    folder = tmp_path / "emotion-edge"
    folder.mkdir()
    written(folder, "[stream]\nquality = 42\n")
    assert load(environment={"XDG_CONFIG_HOME": str(tmp_path)}).stream.quality == 42


def test_one_model_or_several_may_be_named_in_every_layer(tmp_path: Path):
    assert load(written(tmp_path, '[expression]\nmodel = "a.tflite"\n'), environment={}).expression.model == "a.tflite"
    several = written(tmp_path, '[expression]\nmodel = ["a.tflite", "shipped"]\n')
    assert load(several, environment={}).expression.model == ("a.tflite", "shipped")
    one, two = ({"EMOTION_EDGE_EXPRESSION_MODEL": value} for value in ("c.tflite", f"c.tflite{os.pathsep}d.tflite"))
    assert load(several, environment=one).expression.model == "c.tflite"
    assert load(several, environment=two).expression.model == ("c.tflite", "d.tflite")
    assert load(several, {"expression": {"model": ["e.tflite"]}}, two).expression.model == ("e.tflite",)
    with pytest.raises(ConfigError, match=r"expression\.model"):
        load(written(tmp_path, "[expression]\nmodel = []\n"), environment={})


CONTRACT = 'labels = ["yes", "no"]\noutput = "logits"\nscale = 1\noffset = 0\n'


def test_a_contract_may_stand_in_the_file_once_or_for_each_model(tmp_path: Path):
    one = load(written(tmp_path, f"[expression.contract]\n{CONTRACT}"), environment={}).expression.contract
    assert one == GivenContract(labels=("yes", "no"), output="logits", scale=1, offset=0)
    text = "".join(f'[[expression.contract]]\nmodel = "{name}"\n{CONTRACT}' for name in ("a", "b"))
    several = load(written(tmp_path, text), environment={}).expression.contract
    assert isinstance(several, tuple)
    assert [contract.model for contract in several] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CONTRACT.replace("labels", "classes"), "unknown field `classes`.*a contract has labels, output"),
        (CONTRACT.replace("offset = 0\n", ""), "missing required field `offset`"),
        (CONTRACT.replace("logits", "softmax"), r"'softmax'.*expression\.contract\.output.*logits or probabilities"),
        (CONTRACT.replace('"no"', '"yes"'), "labels are yes, yes; expected each once"),
        (CONTRACT.replace('"no"', '"uncertain"'), "none empty or 'uncertain'"),
        (CONTRACT.replace("scale = 1", "scale = 0"), "scale is 0"),
        (CONTRACT.replace("scale = 1", "scale = nan"), "scale is nan"),
        (CONTRACT.replace("logits", "probabilities") + "temperature = 2\n", "it divides logits"),
        (CONTRACT + "channels = 2\n", "2"),
    ],
)
def test_a_contract_that_cannot_be_is_refused(text: str, message: str, tmp_path: Path):
    with pytest.raises(ConfigError, match=message):
        load(written(tmp_path, f"[expression.contract]\n{text}"), environment={})


def test_the_token_never_shows_in_what_is_printed():
    assert "geheim123" not in repr(load(flags={"server": {"token": "geheim123"}}, environment={}))


def test_whom_to_read_is_one_of_two(tmp_path: Path):
    file = written(tmp_path, '[expression]\nfaces = "largest"\nmax_faces = 2\n')
    assert load(file, environment={}).expression.faces == "largest"
    with pytest.raises(ConfigError, match=r"expression\.faces.*allowed: all, largest"):
        load(written(tmp_path, '[expression]\nfaces = "smallest"\n'), environment={})
