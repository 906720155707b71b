"""Running the service: it listens, logs plainly, and ends with 0 when it is told to stop."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import uvicorn

from hullwright.dashboard.app import create_app
from hullwright.dashboard.store import Store, connect
from hullwright.errors import HullwrightError

if TYPE_CHECKING:
    from types import FrameType

    from hullwright.dashboard.settings import Settings

# With the five seconds that a query may take, this ends within the ten that Docker waits.
_GRACE_S: Final = 8
_MOST_CONNECTIONS: Final = 200

_LOGGING: Final[dict[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "format": "%(asctime)s %(levelname)s %(message)s",
            "()": "hullwright.dashboard.serve.UtcFormatter",
        }
    },
    "filters": {"probes": {"()": "hullwright.dashboard.serve.NoProbes"}},
    "handlers": {
        "out": {
            "class": "logging.StreamHandler",
            "formatter": "plain",
            "stream": "ext://sys.stdout",
        }
    },
    "loggers": {
        "uvicorn": {"handlers": ["out"], "level": "INFO", "propagate": False},
        "uvicorn.access": {
            "handlers": ["out"],
            "level": "INFO",
            "propagate": False,
            "filters": ["probes"],
        },
    },
}


class UtcFormatter(logging.Formatter):
    """Formats times in UTC, whatever the container's time zone."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802  the base class's method
        """Return the time of a line, ISO 8601 with milliseconds."""
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


class NoProbes(logging.Filter):
    """Leaves the probes that succeeded out of the access log: they would be most of it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line is kept."""
        match record.args:
            case (_, _, str() as path, _, 200):
                return path not in {"/healthz", "/readyz"}
        return True


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; return 0 once the requests in flight have ended.

    Raises:
        HullwrightError: the port is taken.
    """
    # Uvicorn ends requests in flight, and then raises the signal again for whoever had the handler
    # before: which is this, so the process ends with 0 instead of dying by the signal. As the first
    # process of a container it would otherwise not even die before uvicorn has started.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    engine = connect(settings.database)
    app = create_app(settings, Store(engine, settings.database.place))
    server = _Server(
        uvicorn.Config(
            app,
            log_config=_LOGGING,
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
            limit_concurrency=_MOST_CONNECTIONS,
        )
    )
    server.run(sockets=[_listening(settings.port)])
    engine.dispose()
    return 0


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        places = [f"{host}:{port}" for host, port in (one.getsockname() for one in sockets or [])]
        logging.getLogger("uvicorn.error").info("Serving on %s", ", ".join(places))


def _listening(port: int) -> socket.socket:
    # With the protocol named, asyncio sends answers without waiting for receipts (TCP_NODELAY).
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("0.0.0.0", port))  # noqa: S104  in a container; compose publishes on loopback
    except OSError as error:
        listener.close()
        raise HullwrightError(
            f"the dashboard cannot listen on port {port}",
            why=error.strerror or str(error),
            next_step="end what listens there, or set PORT",
        ) from error
    return listener


def _stop(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
