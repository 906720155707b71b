"""The health check of the worker: whether the one in this container answers a ping of Celery."""

from __future__ import annotations

import socket
import sys

from celery import Celery

from nudge.settings import queue_url

_ANSWER_S = 3.0


def main() -> int:
    """Return 0 where it answered."""
    node = f"celery@{socket.gethostname()}"
    app = Celery(broker=queue_url())
    # It is over as soon as the one that is asked has answered.
    answers = app.control.inspect(destination=[node], timeout=_ANSWER_S).ping() or {}
    print(answers or f"{node} gives no answer")
    return 0 if answers.get(node) == {"ok": "pong"} else 1


if __name__ == "__main__":
    sys.exit(main())
