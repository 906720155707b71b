"""The dashboard's settings: variables of its own, or all that is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullwright.dashboard.settings import database, settings
from hullwright.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_WHOLE = {
    "HULLWRIGHT_DATABASE_HOST": "db",
    "HULLWRIGHT_DATABASE_PASSWORD": "pässword",
    "HULLWRIGHT_HISTORY_TOKEN": "a-token-that-is-long-enough",
}


def _problems(environ: dict[str, str]) -> dict[str, str]:
    with pytest.raises(UsageError, match="settings are wrong") as error:
        settings(environ)
    assert error.value.exit_code == 2
    assert not isinstance(error.value.why, str)
    return dict(error.value.why)


def test_the_defaults_are_those_of_a_container() -> None:
    found = settings(_WHOLE)
    place = found.database
    assert (place.host, place.port, place.name, place.user) == (
        "db",
        5432,
        "hullwright",
        "hullwright",
    )
    assert place.password.reveal() == "pässword"
    assert (found.port, found.version, found.revision) == (8080, "", "")


def test_every_value_can_be_set() -> None:
    found = settings(
        _WHOLE
        | {
            "HULLWRIGHT_DATABASE_PORT": "6543",
            "HULLWRIGHT_DATABASE_NAME": "runs",
            "HULLWRIGHT_DATABASE_USER": "writer",
            "PORT": "9090",
            "HULLWRIGHT_VERSION": "1.4.1",
            "HULLWRIGHT_REVISION": "abc",
            "HULLWRIGHT_COMMIT_DATE": "2026-11-20T10:00:00Z",
        }
    )
    assert found.database.place == "runs at db:6543"
    assert (found.database.user, found.port) == ("writer", 9090)
    assert (found.version, found.revision, found.commit_date) == (
        "1.4.1",
        "abc",
        "2026-11-20T10:00:00Z",
    )


def test_secrets_come_from_files_and_are_not_shown(tmp_path: Path) -> None:
    password, token = tmp_path / "password", tmp_path / "token"
    password.write_text("from a file\n")
    token.write_text("a-token-from-a-file\r\n")
    found = settings(
        {
            "HULLWRIGHT_DATABASE_HOST": "db",
            "HULLWRIGHT_DATABASE_PASSWORD_FILE": str(password),
            "HULLWRIGHT_HISTORY_TOKEN_FILE": str(token),
        }
    )
    assert found.database.password.reveal() == "from a file"
    assert found.token.reveal() == "a-token-from-a-file"
    assert "from" not in f"{found}"


def test_everything_that_is_missing_is_told_at_once() -> None:
    assert set(_problems({"PORT": "web", "HULLWRIGHT_DATABASE_PORT": "0"})) == {
        "HULLWRIGHT_DATABASE_HOST",
        "HULLWRIGHT_DATABASE_PORT",
        "HULLWRIGHT_DATABASE_PASSWORD",
        "HULLWRIGHT_HISTORY_TOKEN",
        "PORT",
    }


def test_the_database_url_of_somebody_else_is_not_read() -> None:
    foreign = {"DATABASE_URL": "postgresql://u:p@elsewhere/x", "PGHOST": "elsewhere"}
    assert "HULLWRIGHT_DATABASE_HOST" in _problems(foreign)
    assert settings(_WHOLE | foreign) == settings(_WHOLE)


@pytest.mark.parametrize("port", ["0", "65536", "-1", "80.0", "²", "http"])
def test_what_is_no_port_is_told(port: str) -> None:
    assert _problems(_WHOLE | {"PORT": port}) == {"PORT": f'"{port}" is no port (1 to 65535)'}


@pytest.mark.parametrize(
    "token", ["short", "x" * 15, "with-an-umlaut-ü-in-it", "two\nlines-of-token"]
)
def test_a_token_that_cannot_protect_or_be_sent_is_told(token: str) -> None:
    problems = _problems(_WHOLE | {"HULLWRIGHT_HISTORY_TOKEN": token})
    assert list(problems) == ["HULLWRIGHT_HISTORY_TOKEN"]
    assert token not in f"{problems}"


def test_a_value_and_a_file_of_it_are_one_too_many() -> None:
    problems = _problems(_WHOLE | {"HULLWRIGHT_DATABASE_PASSWORD_FILE": "/run/secrets/x"})
    assert "which one is meant?" in problems["HULLWRIGHT_DATABASE_PASSWORD"]


def test_a_file_that_cannot_be_read_or_is_empty_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    told = {
        name: _problems(
            {
                "HULLWRIGHT_DATABASE_HOST": "db",
                "HULLWRIGHT_DATABASE_PASSWORD": "x",
                "HULLWRIGHT_HISTORY_TOKEN_FILE": f"{tmp_path / name}",
            }
        )["HULLWRIGHT_HISTORY_TOKEN_FILE"].removeprefix(f"{tmp_path / name} ")
        for name in ("missing", "empty", "binary")
    }
    assert told == {
        "missing": "cannot be read: No such file or directory",
        "empty": "is empty",
        "binary": "cannot be read: not UTF-8",
    }


def test_a_migration_needs_the_database_only() -> None:
    environ = {name: value for name, value in _WHOLE.items() if "TOKEN" not in name}
    assert database(environ).host == "db"
