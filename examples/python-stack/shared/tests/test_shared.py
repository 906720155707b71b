"""What all services share: settings, lines of logs, signs of life."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nudge import heartbeat, logs, settings


def test_a_password_of_any_characters_is_part_of_the_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REDIS_PASSWORD", "a/b@c:d%e f")
    assert settings.queue_url() == "redis://:a%2Fb%40c%3Ad%25e%20f@redis:6379/0"


def test_a_variable_without_a_value_ends_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_PASSWORD", "")
    with pytest.raises(SystemExit, match="REDIS_PASSWORD is not set"):
        settings.queue_url()


def test_a_line_of_the_log_has_what_was_said_beside_it() -> None:
    record = logging.makeLogRecord(
        {"msg": "kept %s", "args": ("it",), "levelname": "INFO", "id": 7, "data": {}}
    )
    line = json.loads(logs.Lines().format(record))
    assert line.pop("time").endswith("+00:00")
    assert line == {"msg": "kept it", "level": "info", "id": 7}


def test_an_error_stays_on_one_line() -> None:
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        record = logging.makeLogRecord({"msg": "failed", "exc_info": sys.exc_info()})
    text = logs.Lines().format(record)
    assert "\n" not in text
    assert "ValueError: first\nsecond" in json.loads(text)["error"]


def test_what_ends_a_program_is_a_line_too() -> None:
    program = "from nudge import logs; logs.set_up(); {}['it']"
    words = (sys.executable, "-c", program)
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    line = json.loads(done.stdout)
    assert (line["level"], line["msg"]) == ("critical", "ended by an error")
    assert line["error"].endswith("KeyError: 'it'")


def test_a_sign_of_life_is_fresh_until_it_is_too_old(tmp_path: Path) -> None:
    path = tmp_path / "alive"
    assert "not there" in heartbeat.trouble(path, 5, 0)
    heartbeat.beat(path)
    os.utime(path, (100.0, 100.0))
    assert heartbeat.trouble(path, 5, 105.0) == ""
    assert "5.5 s old" in heartbeat.trouble(path, 5, 105.5)


def test_the_health_check_ends_as_it_found(tmp_path: Path) -> None:
    path = tmp_path / "alive"
    assert heartbeat.main([str(path), "5"]) == 1
    heartbeat.beat(path)
    assert heartbeat.main([str(path), "60"]) == 0
