"""The bot's loop: asks the messenger what is new, answers, and gives a sign of life each time."""

from __future__ import annotations

import logging
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from bot.wishes import HELP, Remind, understood
from nudge import heartbeat, logs
from nudge.clients import Messenger, MessengerError, backend

if TYPE_CHECKING:
    from types import FrameType

ALIVE = Path("/tmp/bot")  # noqa: S108  # memory of this container alone
# The health check of the Dockerfile allows for one such wait without an answer.
_POLL_S = 20.0
_AFTER_TROUBLE_S = 2.0
log = logging.getLogger("bot")


def answer(client: httpx.Client, update: dict[str, Any]) -> str:
    """Do what was asked for, and return what is said to that."""
    message = update["message"]
    chat = message["chat"]["id"]
    wish = understood(message.get("text", ""))
    if wish is None:
        return HELP
    if isinstance(wish, Remind):
        # The messenger may tell the same again: the backend keeps it once.
        wanted = {"chat": chat, "text": wish.text, "in_s": wish.in_s}
        source = {"source": f"update:{update['update_id']}"}
        client.post("/reminders", json=wanted | source).raise_for_status()
        return f"I will remind you: {wish.text}"
    found = client.get("/reminders", params={"chat": chat, "q": wish.words})
    texts = [each["text"] for each in found.raise_for_status().json()]
    return "\n".join(texts) or "Nothing."


def turn(messenger: Messenger, client: httpx.Client, offset: int, wait_s: float) -> int:
    """Answer what is new, and return from which update on to ask next."""
    for update in messenger.updates(offset, wait_s):
        if "message" in update:
            said = answer(client, update)
            # Who has blocked the bot keeps nobody else waiting.
            with suppress(MessengerError):
                messenger.send(update["message"]["chat"]["id"], said)
        offset = update["update_id"] + 1
    return offset


def main() -> None:
    """Go on until SIGTERM, or the SIGINT with which development starts it again."""
    logs.set_up()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    messenger, client, offset = Messenger(), backend(), 0
    log.info("listening")
    while True:
        # What is out of order elsewhere is no reason to be started again, so the loop goes on. The
        # first turn waits for nothing, so that there is a sign of life soon.
        try:
            offset = turn(messenger, client, offset, _POLL_S if ALIVE.exists() else 0)
        except (httpx.HTTPError, MessengerError) as error:
            log.warning("no answer", extra={"error": str(error) or type(error).__name__})
            time.sleep(_AFTER_TROUBLE_S)
        heartbeat.beat(ALIVE)


def _stop(_number: int, _frame: FrameType | None) -> None:
    # What was begun is told again by the messenger, for only the next question would confirm it.
    log.info("stopped")
    sys.exit(0)


if __name__ == "__main__":
    main()
