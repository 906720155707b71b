"""What a stack uses of the machine, as text, Markdown and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hullwright.images import size_text
from hullwright.report.table import aligned
from hullwright.report.table import markdown as markdown_table
from hullwright.stack.words import invoked

if TYPE_CHECKING:
    from hullwright.stack import ContainerStats, StackStats

_SCHEMA: Final = 1
_HEAD: Final = (
    "container",
    "cpu",
    "memory",
    "limit",
    "of it",
    "net in / out",
    "disk read / written",
    "pids",
)
_RIGHT: Final = (1, 2, 3, 4, 7)


def text(shown: StackStats) -> str:
    """Return a report for people."""
    head = f"stack {shown.stack} · project {shown.project}"
    if not shown.containers:
        return f"{head}\n\n  nothing runs; start it: {invoked('up', shown.stack)}"
    rows = [_HEAD, *(_row(each) for each in shown.containers)]
    return f"{head}\n\n" + "\n".join(
        f"  {line}" for line in aligned(rows, right=_RIGHT).splitlines()
    )


def markdown(shown: StackStats) -> str:
    """Return a report for a job summary or a pull request."""
    rows = [_row(each) for each in shown.containers]
    return f"### {shown.stack}\n\n{markdown_table(_HEAD, rows, right=_RIGHT)}"


def as_json(shown: StackStats) -> dict[str, Any]:
    """Return a report as documented values; figures that are not known are null."""
    return {
        "schema": _SCHEMA,
        "stack": shown.stack,
        "project": shown.project,
        "containers": [_json(each) for each in shown.containers],
    }


def _json(each: ContainerStats) -> dict[str, Any]:
    used = each.usage
    return {
        "service": each.service,
        "container": each.container,
        "cpu_percent": used.cpu_percent,
        "memory_bytes": used.memory_bytes,
        "memory_limit_bytes": each.limit_bytes,
        "machine_memory_bytes": None if each.limit_bytes else used.limit_bytes,
        "network_received_bytes": used.received_bytes,
        "network_sent_bytes": used.sent_bytes,
        "block_read_bytes": used.read_bytes,
        "block_written_bytes": used.written_bytes,
        "pids": used.pids,
    }


def _row(each: ContainerStats) -> list[str]:
    used = each.usage
    share = ""
    if each.limit_bytes and used.memory_bytes is not None:
        share = f"{used.memory_bytes / each.limit_bytes * 100:.0f} %"
    return [
        each.container,
        "" if used.cpu_percent is None else f"{used.cpu_percent:.1f} %",
        _size(used.memory_bytes),
        size_text(each.limit_bytes) if each.limit_bytes else "none",
        share,
        _both(used.received_bytes, used.sent_bytes),
        _both(used.read_bytes, used.written_bytes),
        "" if used.pids is None else str(used.pids),
    ]


def _both(one: int | None, other: int | None) -> str:
    return "" if one is None or other is None else f"{size_text(one)} / {size_text(other)}"


def _size(count: int | None) -> str:
    return "" if count is None else size_text(count)
