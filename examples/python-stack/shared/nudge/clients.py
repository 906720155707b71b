"""The clients of the two APIs that bot and worker speak to: the messenger's, and the backend's."""

from __future__ import annotations

from typing import Any

import httpx

from nudge.settings import required

_TIMEOUT_S = 10.0


class Messenger:
    """The messenger's Bot API, of which three calls are needed.

    Args:
        transport: another one than the network, for tests.
    """

    def __init__(self, transport: httpx.BaseTransport | None = None) -> None:
        base = required("MESSENGER_URL").rstrip("/")
        self._client = httpx.Client(
            base_url=f"{base}/bot{required('MESSENGER_TOKEN')}/",
            timeout=_TIMEOUT_S,
            transport=transport,
        )

    def updates(self, offset: int, wait_s: float) -> list[dict[str, Any]]:
        """Return what was written to the bot, from this update on; waits for it that long."""
        asked = {"offset": offset, "timeout": int(wait_s)}
        answer = self._client.get("getUpdates", params=asked, timeout=wait_s + _TIMEOUT_S)
        return list(_result(answer))

    def send(self, chat: int, text: str) -> None:
        """Send a message to a chat."""
        _result(self._client.post("sendMessage", json={"chat_id": chat, "text": text}))


class MessengerError(Exception):
    """The messenger did not do what it was asked; never says the address, which has the token."""


def _result(answer: httpx.Response) -> Any:
    if answer.is_error:
        raise MessengerError(f"the messenger answered {answer.status_code}")
    return answer.json()["result"]


def backend(transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """Return a client of the backend, which shows who it is with each request."""
    return httpx.Client(
        base_url="http://backend:8000",
        headers={"Authorization": f"Bearer {required('API_TOKEN')}"},
        timeout=_TIMEOUT_S,
        transport=transport,
    )
