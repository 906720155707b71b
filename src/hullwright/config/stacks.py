"""The tables of stacks: what is started, how long it may take, and what must hold then."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast, get_args

from hullwright.config.durations import parse_duration
from hullwright.config.models import Check, CheckType, Stack
from hullwright.config.read import inside
from hullwright.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.config.table import Table

# Keys that only some types of checks have.
_OF_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "port": ("http", "tcp"),
    "path": ("http",),
    "status": ("http",),
    "body": ("http",),
    "command": ("command",),
    "current": ("migrations",),
    "head": ("migrations",),
    "contains": ("logs",),
}
_MOST_PORT: Final = 65535


def read_stack(name: str, table: Table, found: tuple[str, ...]) -> Stack:
    """Return a stack; its files are those that Compose finds by itself where none are written."""
    files = table.each("files", inside)
    if not table.has("files"):
        files = found
        if not found:
            table.problem("files", "missing, and the repository has no compose file at its top")
    elif table.raw["files"] == []:
        table.problem("files", "expected at least one compose file")
    inner = table.table("timeouts")
    timeouts = {each: inner.parsed(each, parse_duration, None) for each in inner.raw}
    stack = Stack(
        name=name,
        files=files,
        profiles=table.texts("profiles"),
        cold_start_budget=table.parsed("cold-start-budget", parse_duration, None),
        require_healthcheck=table.flag("require-healthcheck", default=True),
        timeout=table.parsed("timeout", parse_duration, None),
        timeouts={each: limit for each, limit in timeouts.items() if limit is not None},
        one_shots=table.texts("one-shots"),
        checks=tuple(read_check(inner) for inner in table.tables("checks")),
        environment=table.text("environment"),
    )
    table.finish()
    return stack


def read_check(table: Table) -> Check:
    """Return what must hold once a stack is up; a key of another type of check is refused."""
    kind = table.one_of("type", get_args(CheckType), "")
    for key in ("type", "service"):
        if not table.has(key):
            table.problem(key, "missing")
    for key, kinds in _OF_TYPES.items():
        if kind and table.has(key) and kind not in kinds:
            table.problem(key, f"belongs to a check of type {' or '.join(kinds)}")
    if kind == "command" and not table.has("command"):
        table.problem("command", "missing: it is what is run in the container")
    if kind == "migrations" and table.has("current") != table.has("head"):
        table.problem("current", "it and `head` are compared, so both or neither are written")
    port = table.whole("port", None)
    if port is not None and not 0 < port <= _MOST_PORT:
        table.problem("port", f"expected 1 to {_MOST_PORT}, got {port}")
    check = Check(
        type=cast("CheckType", kind or "tcp"),
        service=table.text("service"),
        name=table.text("name"),
        port=port,
        # Of what is no request, `config` shows neither.
        path=table.parsed("path", _path, "/" if kind == "http" else ""),
        status=table.whole("status", 200 if kind == "http" else 0),
        body=table.parsed("body", _pattern, ""),
        command=table.command("command"),
        current=table.command("current"),
        head=table.command("head"),
        contains=table.parsed("contains", _pattern, ""),
        within=table.parsed("within", parse_duration, None),
    )
    table.finish()
    return check


def _path(text: str) -> str:
    if not text.startswith("/"):
        raise UsageError(f'"{text}" is no path of a request', why="expected one that begins with /")
    return text


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise UsageError(f'"{text}" is no regular expression', why=str(error)) from None
    return text
