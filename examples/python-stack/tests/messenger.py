"""Stands for the messenger, which is somebody else's: the calls of its Bot API that are used.

What people would write comes by POST /test/messages {"chat": 7, "text": "…"}, and what they would
read is told by GET /test/sent.
"""

from __future__ import annotations

import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition
from typing import Any
from urllib.parse import parse_qs, urlsplit

PORT = 8081
TOKEN = os.environ.get("MESSENGER_TOKEN", "")


class Chats:
    """What was written to the bot, and by it."""

    def __init__(self) -> None:
        self._new = Condition()
        # Never one that was told before, also after a restart: the bot's source of a reminder.
        self._number = time.time_ns() // 1_000_000
        self._updates: list[dict[str, Any]] = []
        self.sent: list[dict[str, Any]] = []

    def write(self, chat: int, text: str) -> dict[str, Any]:
        """Return the update that a message of a person becomes."""
        with self._new:
            self._number += 1
            update = {"update_id": self._number, "message": {"chat": {"id": chat}, "text": text}}
            self._updates.append(update)
            self._new.notify_all()
        return update

    def after(self, offset: int, wait_s: float) -> list[dict[str, Any]]:
        """Return the updates from this one on, as soon as there are any or the time is over.

        Those before it have been read, and are told to nobody again.
        """
        deadline = time.monotonic() + wait_s
        with self._new:
            self._updates = [each for each in self._updates if each["update_id"] >= offset]
            while True:
                left_s = deadline - time.monotonic()
                if self._updates or left_s <= 0:
                    return list(self._updates)
                self._new.wait(left_s)


CHATS = Chats()


class Handler(BaseHTTPRequestHandler):
    """Answers the bot, and the tests."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Tell updates to the bot, and what it sent to a test."""
        place = urlsplit(self.path)
        asked = {name: values[-1] for name, values in parse_qs(place.query).items()}
        if place.path == "/test/sent":
            self._answer(200, CHATS.sent)
        elif place.path == f"/bot{TOKEN}/getUpdates":
            found = CHATS.after(int(asked.get("offset", 0)), float(asked.get("timeout", 0)))
            self._answer(200, {"ok": True, "result": found})
        else:
            self._refuse()

    def do_POST(self) -> None:
        """Take a message of the bot, or of a test in the place of a person."""
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        if self.path == "/test/messages":
            self._answer(201, CHATS.write(body["chat"], body["text"]))
        elif self.path == f"/bot{TOKEN}/sendMessage":
            CHATS.sent.append(body)
            self._answer(200, {"ok": True, "result": {}})
        else:
            self._refuse()

    def log_message(self, *_: Any) -> None:
        """Log nothing: the token is in the address."""

    def _refuse(self) -> None:
        status = 401 if self.path.startswith("/bot") else 404
        self._answer(status, {"ok": False, "error_code": status})

    def _answer(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


if __name__ == "__main__":
    print(f"the stand-in of the messenger listens on {PORT}", flush=True)
    ThreadingHTTPServer(("", PORT), Handler).serve_forever()
