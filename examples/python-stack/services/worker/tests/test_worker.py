"""The tasks of the worker, with two APIs that answer from memory."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from nudge.clients import Messenger, MessengerError, backend

if TYPE_CHECKING:
    from types import ModuleType


class Api:
    """An API that notes what it is asked, and answers with a status and a body."""

    def __init__(self, status: int = 200, body: Any = None) -> None:
        self.status, self.body = status, body
        self.asked: list[tuple[str, Any]] = []

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        self.asked.append((request.url.path, body))
        return httpx.Response(self.status, json=self.body)


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name in ("REDIS_PASSWORD", "API_TOKEN", "MESSENGER_TOKEN"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("MESSENGER_URL", "http://messenger")
    return importlib.import_module("worker.tasks")


def test_what_was_sent_is_noted(tasks: ModuleType) -> None:
    messenger, api = Api(body={"ok": True, "result": {}}), Api(body={"new": True})
    tasks.deliver(Messenger(messenger.transport()), backend(api.transport()), 3, 7, "tea")
    assert messenger.asked == [("/botsecret/sendMessage", {"chat_id": 7, "text": "tea"})]
    assert api.asked == [("/deliveries/3", None)]


def test_what_was_not_sent_is_not_noted(tasks: ModuleType) -> None:
    messenger, api = Api(status=429), Api()
    with pytest.raises(MessengerError, match="answered 429"):
        tasks.deliver(Messenger(messenger.transport()), backend(api.transport()), 3, 7, "tea")
    assert api.asked == []


def test_where_the_backend_gives_no_answer_nothing_is_sent(
    tasks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Api(status=503)
    monkeypatch.setattr(tasks, "backend", lambda: backend(api.transport()))
    # Celery logs it as one of those that were to be expected, and not as a success.
    with pytest.raises(tasks.sweep.throws, match="503"):
        tasks.sweep()


def test_each_that_is_due_is_a_task_of_its_own(
    tasks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Api(body=[{"id": 1, "chat": 7, "text": "tea"}, {"id": 2, "chat": 8, "text": "bread"}])
    given: list[tuple[Any, ...]] = []
    monkeypatch.setattr(tasks, "backend", lambda: backend(api.transport()))
    monkeypatch.setattr(tasks.send, "delay", lambda *words: given.append(words))
    tasks.sweep()
    assert given == [(1, 7, "tea"), (2, 8, "bread")]
