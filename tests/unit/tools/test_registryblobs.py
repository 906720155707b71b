"""A blob of a registry, piece by piece, and registries that answer otherwise."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

import pytest

from answering import digest, refusal, talk
from hullwright.errors import ExitCode
from hullwright.tools import registryblobs
from hullwright.tools.registryclient import Patience, RegistryClient, RegistryError
from hullwright.tools.registryhttp import Answer, Request, UnheardError
from hullwright.tools.registrysending import Sending

PIECE: Final = 1000
CONTENT: Final = bytes(range(256)) * 11
MARKED: Final = {"docker_distribution_api_version": "registry/2.0"}


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registryblobs, "_PIECE_BYTES", PIECE)


@dataclass
class Ranges:
    """A registry that has one blob, and gives parts of it."""

    asked: list[str] = field(default_factory=list)

    def send(self, request: Request) -> Answer:
        assert request.url == f"https://r.example/v2/team/app/blobs/{digest(CONTENT)}"
        span = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers["Range"])
        assert span is not None
        self.asked.append(span[0])
        return Answer(206, {}, CONTENT[int(span[1]) : int(span[2]) + 1])


def drained(client: RegistryClient, size: int = len(CONTENT)) -> bytes:
    source = client.open_blob("team/app", digest(CONTENT), size)
    pieces = []
    while piece := source.read(300):
        assert len(piece) <= 300
        pieces.append(piece)
    assert source.read(300) == b""
    return b"".join(pieces)


def told(*answers: Answer | UnheardError) -> RegistryError:
    """Return the error of a blob whose first piece was answered rightly."""
    with pytest.raises(RegistryError) as raised:
        drained(talk(Answer(206, {}, CONTENT[:PIECE]), *answers).client)
    assert raised.value.exit_code == ExitCode.UNAVAILABLE
    assert f"read team/app@{digest(CONTENT)}" in str(raised.value)
    return raised.value


def test_a_blob_is_asked_for_piece_by_piece() -> None:
    registry = Ranges()
    client = RegistryClient(Sending("r.example", "https://r.example", registry, None, Patience()))
    assert drained(client) == CONTENT
    assert registry.asked == ["bytes=0-999", "bytes=1000-1999", "bytes=2000-2815"]


def test_an_empty_blob_is_not_asked_for() -> None:
    talked = talk()
    assert drained(talked.client, 0) == b""
    assert talked.transport.asked == []


def test_a_small_blob_of_a_registry_without_ranges_is_read() -> None:
    assert drained(talk(Answer(200, {}, CONTENT[:400])).client, 400) == CONTENT[:400]


def test_a_registry_without_ranges_is_told_for_a_large_one() -> None:
    with pytest.raises(RegistryError, match="is at fault") as raised:
        drained(talk(Answer(200, {}, CONTENT[:PIECE], whole=False)).client)
    assert "it sends no parts of blobs (HTTP Range)" in str(raised.value)
    assert "it sends no parts" in str(told(Answer(200, {}, CONTENT[:PIECE])))


def test_a_piece_that_is_short_is_told() -> None:
    error = told(Answer(206, {}, CONTENT[:500]))
    assert "it sent 500 bytes of a part of 1,000" in str(error)


def test_a_piece_that_is_cut_off_is_asked_for_again() -> None:
    cut = UnheardError("cut", "the connection was closed")
    pieces = [Answer(206, {}, CONTENT[at : at + PIECE]) for at in (0, PIECE, 2 * PIECE)]
    talked = talk(pieces[0], cut, refusal(503), pieces[1], refusal(429, retry_after="2"), pieces[2])
    assert drained(talked.client) == CONTENT
    spans = [each.headers["Range"] for each in talked.transport.requests]
    assert spans == ["bytes=0-999", *["bytes=1000-1999"] * 3, *["bytes=2000-2815"] * 2]
    assert talked.slept[-1] == 2.0


def test_a_registry_that_stays_cut_off_is_given_up() -> None:
    assert told(*[UnheardError("cut", "the connection was closed")] * 5).kind


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_registry_that_stays_busy_is_given_up(status: int) -> None:
    assert str(status) in str(told(*[refusal(status)] * 5))


def test_a_blob_that_is_not_there_is_told() -> None:
    assert "BLOB_UNKNOWN" in str(told(refusal(404, "BLOB_UNKNOWN", "blob unknown to registry")))


def test_a_registry_that_lets_nobody_in_is_told() -> None:
    error = told(refusal(401, "UNAUTHORIZED", "authentication required", **MARKED))
    assert error.kind == "no-login"
