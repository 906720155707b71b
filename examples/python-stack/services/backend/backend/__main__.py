"""The commands of the backend: serve, healthcheck, current, head."""

from __future__ import annotations

import asyncio
import logging
import sys
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Fixed: where it is reached from outside is decided by who publishes it.
PORT = 8000
_PROBE_S = 2.0


def serve() -> int:
    """Serve until SIGTERM; requests in flight are finished first."""
    # Imported here, for the health check needs none of it and is run often.
    import uvicorn

    from nudge import logs
    from nudge.settings import required

    # Told here, in one line; the server below tells of what fails in it with a traceback.
    required("API_TOKEN")
    required("POSTGRES_PASSWORD")
    logs.set_up()
    # It tells of each of its own parts.
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
    uvicorn.run(
        "backend.app:app",
        host="0.0.0.0",  # noqa: S104  # a container's network is its own
        port=PORT,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=8,
    )
    return 0


def healthcheck() -> int:
    """Ask the server of this container whether it is ready."""
    connection = HTTPConnection("127.0.0.1", PORT, timeout=_PROBE_S)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        told = f"{answer.status} {answer.read().decode()}"
    except (OSError, HTTPException) as error:
        told = str(error)
    finally:
        connection.close()
    print(told)
    return 0 if told.startswith("200") else 1


def current() -> int:
    """Print the revision that the database has."""
    from backend import database

    print(asyncio.run(database.current()))
    return 0


def head() -> int:
    """Print the newest revision that the program knows."""
    from backend import database

    print(database.head())
    return 0


def main(words: list[str]) -> int:
    """Run the one command that is named."""
    commands: dict[str, Callable[[], int]] = {
        "serve": serve,
        "healthcheck": healthcheck,
        "current": current,
        "head": head,
    }
    if len(words) != 1 or words[0] not in commands:
        print(f"expected one of {', '.join(commands)}", file=sys.stderr)
        return 2
    return commands[words[0]]()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
