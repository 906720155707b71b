"""The tasks of the worker, which beat asks for."""

from __future__ import annotations

import logging
from typing import Any

import httpx
from celery import Celery
from celery.signals import setup_logging

from nudge import logs
from nudge.clients import Messenger, MessengerError, backend
from nudge.settings import queue_url

log = logging.getLogger("worker")
app = Celery("nudge", broker=queue_url())
app.conf.update(
    # Nobody asks for results; what was sent is written in the database.
    task_ignore_result=True,
    # A task whose worker died is given to another one.
    task_acks_late=True,
    broker_transport_options={"visibility_timeout": 60},
    broker_connection_retry_on_startup=True,
    worker_prefetch_multiplier=1,
)


@setup_logging.connect
def _logging(**_: Any) -> None:
    logs.set_up()


# A backend that is away for a moment is worth a line, and no traceback: the next one comes soon.
@app.task(name="nudge.sweep", throws=(httpx.HTTPError,))
def sweep() -> None:
    """Give each reminder that is due a task of its own."""
    with backend() as client:
        due = client.post("/deliveries").raise_for_status().json()
    for each in due:
        send.delay(each["id"], each["chat"], each["text"])


@app.task(
    name="nudge.send",
    autoretry_for=(httpx.HTTPError, MessengerError),
    retry_backoff=True,
    max_retries=5,
)
def send(number: int, chat: int, text: str) -> None:
    """Send one reminder: at least once, and again only where noting the first time failed."""
    with backend() as client:
        deliver(Messenger(), client, number, chat, text)


def deliver(messenger: Messenger, client: httpx.Client, number: int, chat: int, text: str) -> None:
    """Send a reminder, and note that it was sent."""
    messenger.send(chat, text)
    client.post(f"/deliveries/{number}").raise_for_status()
    log.info("reminded", extra={"reminder": number})
