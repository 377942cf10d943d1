"""What the docs say of many devices and their broker is so: each rule, setting and command is tried on a broker."""

import json
import os
import re
import subprocess
from pathlib import Path

import msgspec

from edge.config_layers import load
from edge.sinks.mqtt_state import Glance, state
from edge.status import MqttStatus
from tests.broker import HOW, Listener, broker
from tests.manual.commands import ROOT, table
from tests.mqtt_device import device
from tests.stage import Stage
from tests.tools import require_tool

PAGE = ROOT / "docs" / "fleet.md"
TEXT = PAGE.read_text(encoding="utf-8")


def fenced(language: str, word: str) -> str:
    """The block of that language that has the word."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    (found,) = (block for block in blocks if word in block)
    return str(found)


def test_the_example_of_a_state_is_one() -> None:
    status = msgspec.structs.replace(Stage().status(), mqtt=MqttStatus("b:1", True, "", 0, 0, 0))
    told = state(status, Glance(1, 2, "happy", 0.83), "2026-01-31T12:00:00.123Z", aggregate=False)
    assert list(json.loads(fenced("json", "presence"))) == list(json.loads(msgspec.json.encode(told)))


def test_the_settings_of_a_device_are_right(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(fenced("toml", "[mqtt]"), encoding="utf-8")
    (tmp_path / "mqtt-password").write_text("from a file\n")
    mqtt = load(file, environment={"CREDENTIALS_DIRECTORY": str(tmp_path)}).mqtt
    assert (mqtt.broker, mqtt.username, mqtt.password) == ("broker.lan:8883", "kitchen", "from a file")


def test_a_device_needs_no_more_than_the_rules_allow(tmp_path: Path) -> None:
    passwd = require_tool("mosquitto_passwd", HOW)
    for number, user in enumerate(("kitchen", "hall", "homeassistant")):
        new = () if number else ("-c",)
        subprocess.run([passwd, "-b", *new, tmp_path / "passwd", user, user], check=True, capture_output=True)
    (tmp_path / "acl").write_text(fenced("text", "pattern write"))
    rules = [line for line in fenced("ini", "password_file").splitlines() if line.split()[0] in ("allow_anonymous",)]
    rules += [f"password_file {tmp_path / 'passwd'}", f"acl_file {tmp_path / 'acl'}"]
    with (
        broker(tmp_path, rules) as home,
        Listener(home.port, username="homeassistant", password="homeassistant") as assistant,
        device(home.port, username="kitchen", password="kitchen", device="kitchen") as cam,
        device(home.port, username="hall", password="hall", device="hall", topic="emotion_edge/kitchen"),
    ):
        for topic in ("availability", "state", "events", "addresses"):
            assistant.wait_for(f"emotion_edge/kitchen/{topic}")
        assistant.wait_for("emotion_edge_kitchen/config")
        before = len(assistant.of("emotion_edge_kitchen/config"))
        assistant.say("homeassistant/status", "online")
        assistant.wait_for("_kitchen/config", lambda _: len(assistant.of("_kitchen/config")) > before)
        cam.see(2)
        assistant.wait_for("kitchen/state", lambda heard: heard.json["faces"] == 2)
        assert len(assistant.of("kitchen/availability")) == 1, "nobody writes in the name of another"


def test_the_commands_show_what_comes_and_take_away_what_is_kept(tmp_path: Path) -> None:
    require_tool("mosquitto_sub", HOW)
    (watch, says), (take_away, _) = table("broker").items()
    with broker(tmp_path) as home:
        (tmp_path / "mosquitto_sub").write_text(f"-h 127.0.0.1\n-p {home.port}\n")
        environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}

        def typed(command: str) -> str:
            done = subprocess.run(command, shell=True, env=environment, capture_output=True, text=True, check=False)
            return done.stdout

        with device(home.port) as cam, Listener(home.port) as listener:
            cam.wait_until_connected()
            listener.wait_for("/state")
            shown = typed(f"{watch} -W 1")  # without that it goes on until it is stopped
            assert re.search(says, shown), shown
            assert "emotion_edge/kitchen/state {" in shown
        assert "emotion_edge/kitchen/availability offline" in typed(f"{watch} -W 1")
        typed(take_away)
        assert typed(f"{watch} -W 1") == ""
        assert typed("mosquitto_sub -v -t 'homeassistant/#' -W 1") == ""
