"""What a registry said, told apart by what it did, over a real connection."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from hullwright.images import Reference
from hullwright.tools.registry import Endpoint, ask
from registries import answering, refusing

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler

IMAGE = Reference.parse("team/service:1")


@pytest.mark.parametrize(
    ("status", "verdict", "words"),
    [
        (200, "present", "200"),
        (404, "absent", "404, it has no such image"),
        (401, "refused", "401, it wants a login"),
        (403, "refused", "403, it does not let us"),
        (429, "refused", "429, too many requests"),
        (503, "refused", "503, it cannot answer now"),
    ],
)
def test_an_answer_is_told_by_its_status(status: int, verdict: str, words: str) -> None:
    with answering(refusing(status)) as endpoint:
        answer = ask(IMAGE, endpoint)
    assert (answer.verdict, answer.words, answer.status) == (verdict, words, status)
    assert answer.host == endpoint.host


def test_nobody_there_is_something_else_than_a_refusal() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        answer = ask(IMAGE, Endpoint(f"http://127.0.0.1:{held.getsockname()[1]}"))
    assert (answer.verdict, answer.words) == ("unreachable", "Connection refused")


def test_the_token_that_everybody_gets_is_asked_for() -> None:
    seen: list[str] = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        url = urlsplit(request.path)
        seen.append(f"{request.command} {url.path} {request.headers.get('Authorization', '-')}")
        host = request.headers["Host"]
        if url.path == "/token":
            assert parse_qs(url.query)["scope"] == ["repository:team/service:pull"]
            _send(request, 200, json.dumps({"token": "for-everybody"}))
        elif request.headers.get("Authorization") == "Bearer for-everybody":
            _send(request, 200)
        else:
            challenge = f'Bearer realm="http://{host}/token",scope="repository:team/service:pull"'
            _send(request, 401, challenge=challenge)

    with answering(answer) as endpoint:
        assert ask(IMAGE, endpoint).verdict == "present"
    assert seen == [
        "HEAD /v2/team/service/manifests/1 -",
        "GET /token -",
        "HEAD /v2/team/service/manifests/1 Bearer for-everybody",
    ]


def test_a_token_that_is_not_enough_is_a_refusal() -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        if request.path.startswith("/token"):
            _send(request, 200, json.dumps({"token": "t"}))
        else:
            _send(request, 401, challenge=f'Bearer realm="http://{request.headers["Host"]}/token"')

    with answering(answer) as endpoint:
        found = ask(IMAGE, endpoint)
    assert (found.verdict, found.status) == ("refused", 401)


def _send(
    request: BaseHTTPRequestHandler, status: int, body: str = "", challenge: str = ""
) -> None:
    request.send_response(status)
    request.send_header("Content-Length", str(len(body)))
    if challenge:
        request.send_header("WWW-Authenticate", challenge)
    request.end_headers()
    request.wfile.write(body.encode())
