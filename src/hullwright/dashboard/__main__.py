"""The dashboard's commands: `python -m hullwright.dashboard serve|migrate|…`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from hullwright.errors import ExitCode, HullwrightError, UnavailableError, UsageError, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_USAGE: Final = """\
python -m hullwright.dashboard COMMAND

  migrate             bring the database to this version's schema
  current             print the revision that the database has
  heads               print the revision that this version migrates to
  serve               serve on PORT (default 8080) until SIGTERM
  healthcheck [PATH]  end with 0 if the service here answers PATH (default /healthz) with 200

The database is named by HULLWRIGHT_DATABASE_HOST, _PORT, _NAME, _USER and _PASSWORD; senders of
records show HULLWRIGHT_HISTORY_TOKEN. Both secrets may be read from files: …_PASSWORD_FILE and
…_TOKEN_FILE name them."""


def main(words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one command and return its exit code; expected failures are told, never raised."""
    if not words or words[0] in {"-h", "--help", "help"}:
        _tell(_USAGE)
        return ExitCode.DONE if words else ExitCode.USAGE
    try:
        return _command(words)(environ, *words[1:])
    except HullwrightError as error:
        _tell(f"✗ {error}", error=True)
        return error.exit_code


def _command(words: Sequence[str]) -> Callable[..., int]:
    commands: dict[str, tuple[Callable[..., int], int]] = {
        "migrate": (_migrate, 0),
        "current": (_current, 0),
        "heads": (_heads, 0),
        "serve": (_serve, 0),
        "healthcheck": (_healthcheck, 1),
    }
    if words[0] not in commands:
        raise unknown("command", words[0], commands)
    command, most = commands[words[0]]
    if len(words) - 1 > most:
        raise UsageError(
            f"{words[0]} takes {f'{most} argument' if most else 'no arguments'}", next_step=_USAGE
        )
    return command


def _migrate(environ: Mapping[str, str]) -> int:
    from hullwright.dashboard import settings

    database = settings.database(environ)
    with _extra():
        from hullwright.dashboard.migrate import migrate
    done = migrate(database)
    if done.newer:
        _tell(f"the database {database.place} is at {done.after}, newer than this version: left so")
    elif done.before == done.after:
        _tell(f"the database {database.place} is at {done.after} already")
    else:
        _tell(f"the database {database.place} is at {done.after} now, was {done.before or 'empty'}")
    return ExitCode.DONE


def _current(environ: Mapping[str, str]) -> int:
    from hullwright.dashboard import settings

    database = settings.database(environ)
    with _extra():
        from hullwright.dashboard.migrate import current
    for revision in current(database):
        _tell(revision)
    return ExitCode.DONE


def _heads(_: Mapping[str, str]) -> int:
    with _extra():
        from hullwright.dashboard.store import REVISIONS
    _tell(REVISIONS[-1])
    return ExitCode.DONE


def _serve(environ: Mapping[str, str]) -> int:
    from hullwright.dashboard import settings

    found = settings.settings(environ)
    with _extra():
        from hullwright.dashboard.serve import serve
    return serve(found)


def _healthcheck(environ: Mapping[str, str], path: str = "/healthz") -> int:
    from hullwright.dashboard.healthcheck import check

    healthy, told = check(environ, path)
    _tell(told)
    return ExitCode.DONE if healthy else ExitCode.FAILED


class _extra:  # noqa: N801  used as a statement, like contextlib.suppress
    """Tell how to get the extra where its packages are missing."""

    def __enter__(self) -> None:
        return

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith(
            "hullwright"
        ):
            raise UnavailableError(
                "the dashboard's packages are not installed",
                why=f"{error.name} is missing",
                next_step='pip install "hullwright[dashboard]"',
            ) from error


def _tell(text: str, *, error: bool = False) -> None:
    stream = sys.stderr if error else sys.stdout
    stream.write(f"{text}\n")
    stream.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
