"""The bot: what it understands, and what it does with it."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from bot.__main__ import turn
from bot.wishes import HELP, Look, Remind, understood
from nudge.clients import Messenger, backend


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("/remind 20m tea", Remind(1200, "tea")),
        ("/REMIND 2 H call\nher", Remind(7200, "call\nher")),
        ("/remind 1m t\0ea", Remind(60, "tea")),
        (" /remind 1d  bread and milk ", Remind(86400, "bread and milk")),
        ("/list", Look("")),
        ("/list brede", Look("brede")),
        ("/remind tea", None),
        ("/remind 20m ", None),
        ("/remind 9999d tea", None),
        ("/listen", None),
        ("", None),
    ],
)
def test_what_is_written_is_understood(text: str, meant: object) -> None:
    assert understood(text) == meant


class World:
    """A messenger and a backend in memory."""

    def __init__(self, *texts: str) -> None:
        self.updates = [
            {"update_id": 10 + at, "message": {"chat": {"id": 7}, "text": text}}
            for at, text in enumerate(texts)
        ]
        self.said: list[str] = []
        self.kept: list[dict[str, Any]] = []
        self.blocked = False

    def answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else {}
        match request.url.path.rsplit("/", 1)[-1]:
            case "getUpdates":
                offset = int(request.url.params["offset"])
                new = [each for each in self.updates if each["update_id"] >= offset]
                return httpx.Response(200, json={"ok": True, "result": new})
            case "sendMessage" if self.blocked:
                return httpx.Response(403, json={"ok": False})
            case "sendMessage":
                self.said.append(body["text"])
                return httpx.Response(200, json={"ok": True, "result": {}})
            case _ if request.method == "POST":
                self.kept.append(body)
                return httpx.Response(201, json=body)
            case _:
                return httpx.Response(200, json=self.kept)

    def turn(self, offset: int = 0) -> int:
        transport = httpx.MockTransport(self.answer)
        return turn(Messenger(transport), backend(transport), offset, 1)


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESSENGER_URL", "http://messenger")
    monkeypatch.setenv("MESSENGER_TOKEN", "secret")
    monkeypatch.setenv("API_TOKEN", "secret")


def test_a_wish_is_kept_and_confirmed() -> None:
    world = World("/remind 20m tea")
    assert world.turn() == 11
    assert world.kept == [{"chat": 7, "text": "tea", "in_s": 1200, "source": "update:10"}]
    assert world.said == ["I will remind you: tea"]


def test_it_tells_what_there_is() -> None:
    world = World("/remind 20m tea", "/list", "what?")
    world.turn()
    assert world.said == ["I will remind you: tea", "tea", HELP]


def test_what_was_answered_is_not_asked_for_again() -> None:
    world = World("hello")
    offset = world.turn()
    assert world.turn(offset) == offset
    assert world.said == [HELP]


def test_who_blocked_it_keeps_nobody_waiting() -> None:
    world = World("/remind 20m tea")
    world.blocked = True
    assert world.turn() == 11
    assert len(world.kept) == 1
