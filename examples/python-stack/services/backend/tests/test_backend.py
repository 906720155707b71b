"""The API of the backend, with a store in memory, and its migrations as they are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from fastapi.testclient import TestClient

from backend import database
from backend.__main__ import main
from backend.app import app, store_of

TOKEN = {"Authorization": "Bearer t"}
TEA = {"chat": 7, "text": "tea", "in_s": 0, "source": "update:1"}


class Memory:
    """A store that holds reminders in a list."""

    def __init__(self) -> None:
        self.kept: list[dict[str, Any]] = []
        self.works = True

    async def keep(
        self, chat: int, text: str, in_s: float, source: str
    ) -> tuple[dict[str, Any], bool]:
        for each in self.kept:
            if each["source"] == source:
                return each, False
        due = datetime.now(UTC) + timedelta(seconds=in_s)
        new = {"id": len(self.kept) + 1, "chat": chat, "text": text, "due": due, "source": source}
        self.kept.append(new)
        return new, True

    async def open(self, chat: int, words: str) -> list[dict[str, Any]]:
        return [each for each in self.kept if each["chat"] == chat and words in each["text"]]

    async def answers(self) -> bool:
        if not self.works:
            raise OSError("gone")
        return True


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Memory:
    monkeypatch.setenv("API_TOKEN", "t")
    made = Memory()
    monkeypatch.setitem(app.dependency_overrides, store_of, lambda: made)
    return made


@pytest.fixture
def client(store: Memory) -> TestClient:
    assert not store.kept
    # Without `with`, so that nothing looks for a database.
    return TestClient(app)


def test_what_was_kept_is_told(client: TestClient) -> None:
    made = client.post("/reminders", json=TEA, headers=TOKEN)
    assert made.status_code == 201
    [told] = client.get("/reminders?chat=7", headers=TOKEN).json()
    assert told == made.json()
    assert client.get("/reminders?chat=8", headers=TOKEN).json() == []


def test_the_same_source_makes_one_reminder(client: TestClient, store: Memory) -> None:
    first = client.post("/reminders", json=TEA, headers=TOKEN)
    again = client.post("/reminders", json=TEA, headers=TOKEN)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert len(store.kept) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/reminders"), ("GET", "/reminders?chat=7"), ("POST", "/deliveries")],
)
def test_nobody_gets_in_without_the_token(method: str, path: str, client: TestClient) -> None:
    assert client.request(method, path, json=TEA).status_code == 401
    other = {"Authorization": "Bearer é".encode()}
    assert client.request(method, path, json=TEA, headers=other).status_code == 401


@pytest.mark.parametrize("wrong", [{"text": " "}, {"in_s": -1}, {"in_s": 1e12}, {"source": ""}])
def test_what_is_no_reminder_is_refused(wrong: dict[str, Any], client: TestClient) -> None:
    assert client.post("/reminders", json=TEA | wrong, headers=TOKEN).status_code == 422


def test_it_is_ready_while_its_database_answers(client: TestClient, store: Memory) -> None:
    assert client.get("/readyz").status_code == 200
    store.works = False
    assert client.get("/readyz").status_code == 503
    assert client.get("/livez").status_code == 200


def test_the_migrations_are_one_line_from_nothing_to_the_head() -> None:
    scripts = ScriptDirectory.from_config(database.scripts())
    assert [each.revision for each in scripts.walk_revisions()] == ["0002", "0001"]
    assert scripts.get_bases() == ["0001"]
    assert database.head() == "0002"


@pytest.mark.parametrize("name", ["API_TOKEN", "POSTGRES_PASSWORD"])
def test_without_a_secret_it_does_not_serve(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for each in ("API_TOKEN", "POSTGRES_PASSWORD"):
        monkeypatch.setenv(each, "secret")
    monkeypatch.setenv(name, "")
    with pytest.raises(SystemExit, match=f"{name} is not set"):
        main(["serve"])


def test_what_is_no_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate"]) == 2
    assert "expected one of serve, healthcheck, current, head" in capsys.readouterr().err


def test_a_password_of_any_characters_is_part_of_the_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POSTGRES_PASSWORD", "a/b@c:d%e")
    assert "a%2Fb%40c%3Ad%25e@db" in database.url().render_as_string(hide_password=False)
