"""The program as a service: what systemd and its journal hear of it, and how it reads its configuration again."""

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.api import ask
from tests.e2e.program import Program, running, status_of
from tests.service_manager import Told, listening
from tests.wire import eventually

AS_SERVICE = """
import os
import edge.journal
edge.journal.JournalHandler.__init__.__defaults__ = ("\\0{journal}",)
stderr = os.fstat(2)
os.environ["JOURNAL_STREAM"] = f"{{stderr.st_dev}}:{{stderr.st_ino}}"
"""
"""The journal is one of ours, and systemd says that it reads our stderr."""


OFTEN = {"WATCHDOG_USEC": "400000"}
"""systemd asks for a sign of life several times a second, and hears the status as often."""


def port_of(url: str) -> int:
    return int(url.rstrip("/").rpartition(":")[2])


def entry(journal: Told, event: str) -> dict[str, str]:
    """The first entry of an event."""
    journal.wait_for(lambda: any(each["EMOTION_EDGE_EVENT"] == event for each in journal.entries), event)
    return next(each for each in journal.entries if each["EMOTION_EDGE_EVENT"] == event)


def test_it_is_ready_without_its_camera_and_says_what_it_waits_for():
    with listening() as systemd, listening() as journal:
        environment = {"NOTIFY_SOCKET": f"@{systemd.name}", **OFTEN}
        before = AS_SERVICE.format(journal=journal.name)
        with running("--source", "v4l2:/dev/video77", before=before, **environment) as program:
            url = program.url()
            systemd.wait_for(lambda: any("there is no /dev/video77" in each for each in systemd.statuses), "the reason")
            systemd.wait_for(lambda: systemd.texts.count("WATCHDOG=1") > 1, "signs of life")
            assert status_of(f"{url}readyz") == 503, "ready means the server, not the frames"
            assert status_of(f"{url}livez") == 200
            assert program.terminate()[0] == 0
            systemd.wait_for(lambda: "STOPPING=1\nSTATUS=stopping" in systemd.texts, "its end")
            assert program.end() == 0
            assert program.errors() == "", "all went to the journal"
    texts = systemd.texts
    assert systemd.statuses[0].startswith("starting: ")
    assert texts.index("READY=1") < texts.index("WATCHDOG=1")
    waiting = next(status for status in systemd.statuses if "there is no" in status)
    assert waiting.startswith("waiting for the camera v4l2:/dev/video77: there is no /dev/video77")
    asked = entry(journal, "source.starting")
    assert asked["PRIORITY"] == "4"
    assert asked["MESSAGE"].startswith("source.starting: there is no /dev/video77")
    assert float(asked["EMOTION_EDGE_RETRY_IN_S"]) > 0
    assert entry(journal, "run.ended")["EMOTION_EDGE_EXIT"] == "0"


def test_frames_and_faces_are_in_the_status():
    with listening() as systemd, running("--source", "demo", NOTIFY_SOCKET=f"@{systemd.name}", **OFTEN) as program:
        program.url()
        systemd.wait_for(
            lambda: any(
                each.startswith("online, ") and not each.startswith("online, 0.0") and "0 faces" not in each
                for each in systemd.statuses
            ),
            "frames a second and faces",
        )
        assert program.terminate()[0] == 0


def test_records_that_are_older_than_they_may_get_are_deleted(tmp_path: Path):
    log = tmp_path / "events.jsonl"
    log.write_text('{"time": "2020-01-01T00:00:00.000Z"}\n{"time": "2999-01-01T00:00:00.000Z"}\n')
    with running("--source", "demo", "--events", str(log), EMOTION_EDGE_EVENTS_KEEP_DAYS="30") as program:
        program.url()
        eventually(lambda: "events.forgotten" in program.errors(), "they are gone")
        assert program.terminate()[0] == 0
    assert "2020" not in log.read_text()
    assert "2999" in log.read_text()


def test_a_wrong_configuration_is_in_the_status_and_in_the_journal_as_an_error():
    with listening() as systemd, listening() as journal:
        before = AS_SERVICE.format(journal=journal.name)
        program = Program("--source", "nowhere.mp4", before=before, NOTIFY_SOCKET=f"@{systemd.name}")
        assert program.end() == 78
        refused = entry(journal, "run.refused")
        systemd.wait_for(lambda: any("there is no file nowhere.mp4" in each for each in systemd.statuses), "why")
    assert (refused["PRIORITY"], refused["EMOTION_EDGE_EXIT"]) == ("3", "78")
    assert "there is no file nowhere.mp4" in refused["MESSAGE"]
    assert program.errors() == ""
    assert "READY=1" not in systemd.texts


def config_of(url: str) -> dict[str, Any]:
    return dict(ask(port_of(url), "GET", "/api/v1/config")[2]["config"])


def test_it_reads_its_configuration_again_when_asked_to(tmp_path: Path):
    file = tmp_path / "config.toml"
    file.write_text('[source]\nuri = "demo"\n[stream]\nquality = 40\n')
    with listening() as systemd, running("--config", str(file), NOTIFY_SOCKET=f"@{systemd.name}", **OFTEN) as program:
        url = program.url()
        program.wait_for(url, "source.state", equals="online")

        def reload(text: str) -> None:
            done = systemd.texts.count("READY=1")
            file.write_text(text)
            program.process.send_signal(signal.SIGHUP)
            systemd.wait_for(lambda: systemd.texts.count("READY=1") == done + 1, "the end of a reload")
            assert sum(each.startswith("RELOADING=1\nMONOTONIC_USEC=") for each in systemd.texts) == done

        patch = '{"stream": {"quality": 10}, "privacy": {"video": "boxes"}}'
        assert ask(port_of(url), "PATCH", "/api/v1/config", patch, Content_Type="application/json")[0] == 200
        reload('[source]\nuri = "demo"\n[stream]\nquality = 50\n')
        config = config_of(url)
        assert (config["stream"]["quality"], config["privacy"]["video"]) == (50, "full"), "the file counts again"
        assert "config.reloaded" in program.errors()

        reload('[source]\nuri = "demo"\n[stream]\nquality = 500\n')
        assert config_of(url)["stream"]["quality"] == 50
        systemd.wait_for(
            lambda: "; the configuration was not reloaded: bad setting" in systemd.statuses[-1], "why is in the status"
        )
        assert systemd.statuses[-1].startswith("online, ")
        assert "config.refused" in program.errors()

        reload('[source]\nuri = "film.mp4"\n')
        systemd.wait_for(lambda: "there is no file film.mp4" in systemd.statuses[-1], "what would not start again")

        reload('[source]\nuri = "demo:?fps=5"\n[stream]\nquality = 60\n[server]\nmax_clients = 9\n')
        assert config_of(url)["stream"]["quality"] == 60
        systemd.wait_for(
            lambda: systemd.statuses[-1].endswith("; needs a restart: source.uri, server.max_clients"), "what needs one"
        )
        assert program.terminate()[0] == 0


IN_TERMINAL = """
import os, sys
os.setsid()
os.close(os.open(os.ttyname(0), os.O_RDWR))
"""


def test_in_a_terminal_it_reads_it_again_too_and_ends_when_that_is_closed(tmp_path: Path):
    ours, theirs = pty.openpty()
    log = (tmp_path / "log").open("w+")
    command = f"{IN_TERMINAL}\nfrom edge.cli import main\nsys.exit(main())"
    program = subprocess.Popen(
        [sys.executable, "-c", command, "run", "--port", "0", "--source", "demo"],
        stdin=theirs,
        stdout=theirs,
        stderr=log,
    )
    os.close(theirs)
    try:

        def told(event: str) -> bool:
            return event in (tmp_path / "log").read_text()

        eventually(lambda: told("source.online"), "it runs")
        program.send_signal(signal.SIGHUP)
        eventually(lambda: told("config.reloaded"), "it reads its configuration")
        assert program.poll() is None
        before_s = time.monotonic()
        os.close(ours)
        ours = -1
        assert program.wait(20) == 0
        assert time.monotonic() - before_s <= 2.0
        assert told("run.ended")
    finally:
        program.kill()
        program.wait()
        log.close()
        if ours != -1:
            os.close(ours)


def test_it_ignores_hang_ups_where_it_is_told_to():
    before = "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)"
    with running("--source", "demo", before=before) as program:
        url = program.url()
        program.wait_for(url, "source.state", equals="online")
        program.process.send_signal(signal.SIGHUP)
        program.wait_for(url, "source.frames", above=program.state(url)["source"]["frames"] + 10)
        assert "config." not in program.errors()
        assert program.terminate()[0] == 0
