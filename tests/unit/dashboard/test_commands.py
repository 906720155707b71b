"""The dashboard's command line, as far as it needs neither a database nor a port."""

from __future__ import annotations

import logging
import sys

import pytest
from alembic.script import ScriptDirectory

from hullwright.dashboard.__main__ import main
from hullwright.dashboard.migrate import alembic_config
from hullwright.dashboard.serve import NoProbes, UtcFormatter
from hullwright.dashboard.store import REVISIONS


def test_the_known_revisions_are_those_of_the_scripts() -> None:
    scripts = ScriptDirectory.from_config(alembic_config()).walk_revisions()
    assert tuple(script.revision for script in scripts)[::-1] == REVISIONS


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((), 2, "healthcheck [PATH]"),
        (("--help",), 0, "healthcheck [PATH]"),
        (("sevre",), 2, 'unknown command "sevre" — did you mean "serve"?'),
        (("serve", "now"), 2, "serve takes no arguments"),
        (("healthcheck", "/a", "/b"), 2, "healthcheck takes 1 argument"),
        (("migrate",), 2, "HULLWRIGHT_DATABASE_HOST"),
        (("current",), 2, "HULLWRIGHT_DATABASE_HOST"),
        (("heads",), 0, REVISIONS[-1]),
        (("serve",), 2, "HULLWRIGHT_HISTORY_TOKEN"),
        (("healthcheck",), 1, "invalid literal"),
    ],
)
def test_each_ends_with_its_code_and_says_why(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, told: str
) -> None:
    assert main(words, {"PORT": "none"}) == code
    shown = capsys.readouterr()
    assert told in shown.out + shown.err


@pytest.mark.parametrize("command", ["serve", "migrate", "current", "heads"])
def test_a_missing_extra_is_exit_3_with_the_remedy(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    for name in ("sqlalchemy", "uvicorn", "alembic"):
        monkeypatch.setitem(sys.modules, name, None)
    for module in ("serve", "migrate", "store"):
        monkeypatch.delitem(sys.modules, f"hullwright.dashboard.{module}", raising=False)
    environ = {
        "HULLWRIGHT_DATABASE_HOST": "db",
        "HULLWRIGHT_DATABASE_PASSWORD": "x",
        "HULLWRIGHT_HISTORY_TOKEN": "x" * 16,
    }
    assert main([command], environ) == 3
    assert 'pip install "hullwright[dashboard]"' in capsys.readouterr().err


def test_the_access_log_is_plain_and_leaves_successful_probes_out() -> None:
    def line(path: str, status: int) -> logging.LogRecord:
        arguments = ("127.0.0.1:4711", "GET", path, "1.1", status)
        message = '%s - "%s %s HTTP/%s" %d'
        return logging.LogRecord("uvicorn.access", logging.INFO, "", 0, message, arguments, None)

    kept = [(path, status) for path in ("/", "/readyz") for status in (200, 503)
            if NoProbes().filter(line(path, status))]  # fmt: skip
    assert kept == [("/", 200), ("/", 503), ("/readyz", 503)]
    shown = UtcFormatter("%(asctime)s %(levelname)s %(message)s").format(line("/", 200))
    assert shown.endswith('+00:00 INFO 127.0.0.1:4711 - "GET / HTTP/1.1" 200')
