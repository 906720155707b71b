"""The schedule, and a sign of life whenever something of it has reached the queue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import after_task_publish, setup_logging

from nudge import heartbeat, logs
from nudge.settings import queue_url

# The health check of the Dockerfile allows for some of them to fail.
EVERY_S = 1.0
ALIVE = Path("/tmp/beat")  # noqa: S108  # memory of this container alone

app = Celery("nudge", broker=queue_url())
app.conf.update(
    beat_schedule={
        "sweep": {
            "task": "nudge.sweep",
            "schedule": EVERY_S,
            # What nobody has begun by then the next one does as well.
            "options": {"expires": 10 * EVERY_S, "ignore_result": True},
        },
    },
    beat_max_loop_interval=EVERY_S,
    # Of a longer time nothing would be lost but when it last ran.
    beat_sync_every=60,
)


@setup_logging.connect
def _logging(**_: Any) -> None:
    logs.set_up()


@after_task_publish.connect
def _alive(**_: Any) -> None:
    heartbeat.beat(ALIVE)
