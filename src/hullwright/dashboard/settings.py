"""The dashboard's settings: environment variables of its own, and nothing else.

`DATABASE_URL` and its like belong to whoever runs the dashboard and are never read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.errors import UsageError
from hullwright.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX: Final = "HULLWRIGHT_DATABASE_"
_TOKEN: Final = "HULLWRIGHT_HISTORY_TOKEN"  # noqa: S105  the name of a variable
_SHORTEST_TOKEN: Final = 16
_NEXT: Final = "set them in the environment of the service, or in .env for compose"


@dataclass(frozen=True, slots=True)
class Database:
    """Where the PostgreSQL database is, and who we are there."""

    host: str
    port: int
    name: str
    user: str
    password: Secret

    @property
    def place(self) -> str:
        """The database as messages name it."""
        return f"{self.name} at {self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the service needs.

    Attributes:
        database: the store.
        token: what a sender of records must show.
        port: where it listens, on all addresses of its container.
        version: version of the image it runs in; empty if unknown.
        revision: commit of the image; empty if unknown.
        commit_date: date of that commit, ISO 8601; empty if unknown.
    """

    database: Database
    token: Secret
    port: int
    version: str = ""
    revision: str = ""
    commit_date: str = ""


def database(environ: Mapping[str, str]) -> Database:
    """Return the settings of the database, which is all that a migration needs.

    Raises:
        UsageError: something is missing or wrong; everything at once.
    """
    problems: list[tuple[str, str]] = []
    found = _database(environ, problems)
    _refuse(problems)
    return found


def settings(environ: Mapping[str, str]) -> Settings:
    """Return all settings of the service.

    Raises:
        UsageError: something is missing or wrong; everything at once.
    """
    problems: list[tuple[str, str]] = []
    found = Settings(
        database=_database(environ, problems),
        token=_secret(environ, _TOKEN, problems),
        port=_port(environ, "PORT", 8080, problems),
        version=environ.get("HULLWRIGHT_VERSION", ""),
        revision=environ.get("HULLWRIGHT_REVISION", ""),
        commit_date=environ.get("HULLWRIGHT_COMMIT_DATE", ""),
    )
    token = found.token.reveal()
    if token and (len(token) < _SHORTEST_TOKEN or not token.isascii() or not token.isprintable()):
        problems.append((_TOKEN, f"needs {_SHORTEST_TOKEN} or more printable ASCII characters"))
    _refuse(problems)
    return found


def _database(environ: Mapping[str, str], problems: list[tuple[str, str]]) -> Database:
    host = environ.get(f"{_PREFIX}HOST", "")
    if not host:
        problems.append((f"{_PREFIX}HOST", "is not set"))
    return Database(
        host=host,
        port=_port(environ, f"{_PREFIX}PORT", 5432, problems),
        name=environ.get(f"{_PREFIX}NAME") or "hullwright",
        user=environ.get(f"{_PREFIX}USER") or "hullwright",
        password=_secret(environ, f"{_PREFIX}PASSWORD", problems),
    )


def _port(
    environ: Mapping[str, str], name: str, default: int, problems: list[tuple[str, str]]
) -> int:
    given = environ.get(name) or str(default)
    if given.isascii() and given.isdigit() and 1 <= int(given) <= 65535:
        return int(given)
    problems.append((name, f'"{given}" is no port (1 to 65535)'))
    return default


def _secret(environ: Mapping[str, str], name: str, problems: list[tuple[str, str]]) -> Secret:
    """Return the value of `name`, or what the file holds that `name`_FILE points at."""
    value, file = environ.get(name, ""), environ.get(f"{name}_FILE", "")
    if value and file:
        problems.append((name, f"is set, and {name}_FILE too: which one is meant?"))
    elif file:
        try:
            value = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            problems.append((f"{name}_FILE", f"{file} cannot be read: {reason}"))
        else:
            if not value:
                problems.append((f"{name}_FILE", f"{file} is empty"))
    elif not value:
        problems.append((name, f"is not set, and neither is {name}_FILE"))
    return Secret(value)


def _refuse(problems: list[tuple[str, str]]) -> None:
    if problems:
        raise UsageError("the dashboard's settings are wrong", why=problems, next_step=_NEXT)
