"""What stands in `.env`, as Compose itself reads it, where only some of it may be taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright import stack
from hullwright.secret import Secret
from hullwright.stack import handing
from hullwright.tools import dotenv

if TYPE_CHECKING:
    from composing import Made

HARD = ("a$b", "${PORT}", "q\"'\\", " lines\nand\ttabs ", "", "ü#x", "$$")


def test_values_are_byte_for_byte_those_of_compose(made: Made) -> None:
    made.compose("  app: {image: x}")
    values = {f"V{number}": value for number, value in enumerate(HARD)}
    lines = [dotenv.line(name, value) for name, value in values.items()]
    (made.folder / ".env").write_text("\n".join(lines), encoding="utf-8")
    ws = made.workspace()
    assert handing.from_dotenv(ws, stack.select(ws), [*values, "ABSENT"]) == values
    assert handing.from_dotenv(ws, stack.select(ws, dotenv=False), values) == {}


def test_what_is_no_secret_is_still_taken(made: Made) -> None:
    made.compose('  app: {image: x, environment: ["PORT", "API_TOKEN"]}')
    (made.folder / ".env").write_text("PORT=8081\nAPI_TOKEN=old\nUNUSED=1\n", encoding="utf-8")
    ws = made.workspace()
    given = {"DB_PASSWORD": Secret("correct horse")}
    selection, _ = handing.checked(ws, stack.select(ws, environment=given))
    assert selection.environment == {**given, "PORT": "8081"}
    assert not selection.call.dotenv
