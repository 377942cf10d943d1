"""What the docs say of many devices and their broker is so: each rule, setting and command is tried on a broker."""

import json
import os
import re
import socket
import ssl
import subprocess
import tomllib
from pathlib import Path

import msgspec

from edge.config_layers import load
from edge.sinks.mqtt_settings import MqttSettings
from edge.sinks.mqtt_state import Glance, state
from edge.sinks.mqtt_topics import topics
from edge.status import MqttStatus
from tests.broker import HOW, Listener, broker
from tests.manual.commands import ROOT, table
from tests.mqtt_device import device
from tests.stage import Stage
from tests.tools import require_tool
from tests.wire import eventually

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
    assert topics(mqtt, "raspberrypi").id == mqtt.username, "the rules go by it"


def settings_of_the_page() -> MqttSettings:
    """Of the device in the docs."""
    return load(flags=tomllib.loads(fenced("toml", "[mqtt]")), environment={}).mqtt


def rules_of_the_page(folder: Path, *, tls: bool) -> list[str]:
    """The lines of the broker in the docs, with everything in a folder; the password of each user is his name."""
    passwd = require_tool("mosquitto_passwd", HOW)
    for number, user in enumerate(("kitchen", "hall", "homeassistant")):
        new = () if number else ("-c",)
        subprocess.run([passwd, "-b", *new, folder / "passwd", user, user], check=True, capture_output=True)
    (folder / "acl").write_text(fenced("text", "pattern write"))
    lines = re.sub(r"/etc/mosquitto/(certs/)?", f"{folder}/", fenced("ini", "password_file")).splitlines()
    left_out = ("listener", *(() if tls else ("certfile", "keyfile")))
    return [line for line in lines if line.split()[0] not in left_out]


def certificates_of_the_page(folder: Path, name: str) -> None:
    """What the commands of the docs make, for a broker of another name."""
    require_tool("openssl", "apt-get install -y --no-install-recommends openssl")
    for command in table("authority"):
        line = command.replace("broker.lan", name)
        subprocess.run(["sh", "-euc", line], cwd=folder, check=True, capture_output=True)


def test_a_device_needs_no_more_than_the_rules_allow(tmp_path: Path) -> None:
    ours = settings_of_the_page()
    with (
        broker(tmp_path, rules_of_the_page(tmp_path, tls=False)) as home,
        Listener(home.port, username="homeassistant", password="homeassistant") as assistant,
        device(home.port, username=ours.username, password=ours.username, device=ours.device) as cam,
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


def test_a_device_by_another_name_than_its_user_s_is_dropped_without_a_word(tmp_path: Path) -> None:
    said = tmp_path / "log"
    rules = [*rules_of_the_page(tmp_path, tls=False), "log_type all", f"log_dest file {said}"]
    with (
        broker(tmp_path, rules) as home,
        Listener(home.port, username="homeassistant", password="homeassistant") as assistant,
    ):
        with device(home.port, username="kitchen", password="kitchen", device="raspberrypi") as cam:
            cam.wait_until_connected()
            eventually(lambda: cam.sink.status().sent == 1, "the broker says that it has it")
            assert (cam.sink.status().connected, cam.sink.status().reason) == (True, "")
        eventually(lambda: "Denied PUBLISH" in said.read_text(), said.read_text)
        # the broker has handed on by then what it wanted to
        assistant.say("emotion_edge/kitchen/end", "of the test")
        assistant.wait_for("/end")
        assert [heard.topic for heard in assistant.messages] == ["emotion_edge/kitchen/end"]


def test_python_s_strictest_look_finds_nothing_wrong_with_the_certificates(tmp_path: Path) -> None:
    certificates_of_the_page(tmp_path, "localhost")
    context = ssl.create_default_context(cafile=tmp_path / "authority.pem")
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # as from Python 3.13 on
    with (
        broker(tmp_path, rules_of_the_page(tmp_path, tls=True)) as home,
        socket.create_connection(("127.0.0.1", home.port), 10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as shown,
    ):
        assert shown.getpeercert() is not None


def test_the_commands_show_what_comes_and_take_away_what_is_kept(tmp_path: Path) -> None:
    require_tool("mosquitto_sub", HOW)
    (watch, says), (take_away, _) = table("broker").items()
    certificates_of_the_page(tmp_path, "localhost")
    authority = str(tmp_path / "authority.pem")
    with broker(tmp_path, rules_of_the_page(tmp_path, tls=True)) as home:
        own = {
            "broker.lan": "localhost",
            "8883": str(home.port),
            "/etc/emotion-edge/authority.pem": authority,
            "PASSWORD": "homeassistant",
        }
        how = fenced("text", "--cafile")
        for word, ours in own.items():
            assert word in how
            how = how.replace(word, ours)
        (tmp_path / "mosquitto_sub").write_text(how)
        environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}

        def typed(command: str) -> str:
            done = subprocess.run(command, shell=True, env=environment, capture_output=True, text=True, check=False)
            return done.stdout

        ours = settings_of_the_page()
        told = {"username": ours.username, "password": ours.username, "device": ours.device, "tls": ours.tls}
        with device(home.port, host="localhost", ca=authority, **told) as cam:
            cam.wait_until_connected()
            eventually(lambda: cam.sink.status().sent == 1, "the broker has it")
            shown = typed(f"{watch} -W 1")  # without that it goes on until it is stopped
            assert re.search(says, shown), shown
            assert "emotion_edge/kitchen/state {" in shown
        assert "emotion_edge/kitchen/availability offline" in typed(f"{watch} -W 1")
        typed(take_away)
        assert typed(f"{watch} -W 1") == ""
        assert typed("mosquitto_sub -v -t 'homeassistant/#' -W 1") == ""
