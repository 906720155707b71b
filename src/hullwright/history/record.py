"""One record of the history, and its JSON form: what is stored, sent and received.

The JSON form has `schema` 1. Unknown keys are ignored, so that an older dashboard takes the
records of a newer Hullwright.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA: Final = 1
# What a dashboard takes as one record's JSON form.
MAX_BODY_BYTES: Final = 1024 * 1024
Status = Literal["done", "failed", "interrupted", "rolled-back"]

_SLUG: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LONGEST_TEXT: Final = 200
_LONGEST_RUN_S: Final = 10 * 365 * 86_400


class InvalidRecordError(ValueError):
    """A body is no record; `problems` names each field and what is wrong with it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One run of a task.

    Attributes:
        kind: the task: build, cold-start, sizes, up, down, push, deploy, …
        project: the project's name.
        status: how it ended; a check that did not hold is `failed`.
        at: when it ended, with a time zone.
        duration_s: seconds that it took.
        version: version of what it worked on; empty where there was none.
        revision: commit of what it worked on; empty where there was none.
        data: the JSON form of the task's report.
        id: names this record everywhere, so that sending it twice is harmless.
    """

    kind: str
    project: str
    status: str
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    duration_s: float = 0.0
    version: str = ""
    revision: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid4()))

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form; `parse` gives the record back."""
        return {
            "schema": SCHEMA,
            "id": self.id,
            "kind": self.kind,
            "project": self.project,
            "status": self.status,
            "at": instant(self.at),
            "duration_s": self.duration_s,
            "version": self.version,
            "revision": self.revision,
            "data": dict(self.data),
        }


def instant(at: datetime) -> str:
    """Return a time as text in UTC; texts sort as their times do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def parse(body: object) -> Record:
    """Return the record that a JSON value holds.

    Raises:
        InvalidRecordError: it is none; all problems at once.
    """
    if not isinstance(body, dict):
        raise InvalidRecordError(["a record is a JSON object"])
    checks = {
        "schema": body.get("schema") == SCHEMA or f"is {SCHEMA}",
        "id": _matches(body.get("id"), _UUID) or "is a UUID in lower case",
        "kind": _matches(body.get("kind"), _SLUG) or "is a lower-case word such as cold-start",
        "project": _text(body.get("project"), shortest=1) or _told_text(1),
        "status": _matches(body.get("status"), _SLUG) or "is a lower-case word such as done",
        "at": _time(body.get("at")) is not None or "is an ISO 8601 time with a time zone",
        "duration_s": _duration(body.get("duration_s")) or "is a number of seconds, 0 or more",
        "version": _text(body.get("version", "")) or _told_text(0),
        "revision": _text(body.get("revision", "")) or _told_text(0),
        "data": _storable_object(body.get("data", {}))
        or "is an object of finite numbers and texts without NUL and lone surrogates",
    }
    problems = [f"{name} {told}" for name, told in checks.items() if told is not True]
    at = _time(body.get("at"))
    if problems or at is None:
        raise InvalidRecordError(problems)
    return Record(
        kind=body["kind"],
        project=body["project"],
        status=body["status"],
        at=at,
        duration_s=float(body["duration_s"]),
        version=body.get("version", ""),
        revision=body.get("revision", ""),
        data=body.get("data", {}),
        id=body["id"],
    )


def _told_text(shortest: int) -> str:
    return f"is a line of {shortest} to {_LONGEST_TEXT} printable characters"


def _matches(value: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _text(value: object, *, shortest: int = 0) -> bool:
    return (
        isinstance(value, str)
        and shortest <= len(value) <= _LONGEST_TEXT
        and (value.isprintable() or not value)
    )


def _duration(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # The comparison is false for NaN and for infinity too.
    return is_number and 0 <= value <= _LONGEST_RUN_S  # type: ignore[operator]  # narrowed above


def _time(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        return at.astimezone(UTC) if at is not None and at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _storable_object(value: object) -> bool:
    return isinstance(value, dict) and _storable(value)


def _storable(value: object) -> bool:
    """Whether PostgreSQL's jsonb takes a value: it has neither NUL, surrogates nor infinity."""
    match value:
        case str():
            return "\0" not in value and not any("\ud800" <= char <= "\udfff" for char in value)
        case float():
            return math.isfinite(value)
        case dict():
            return all(_storable(key) and _storable(item) for key, item in value.items())
        case list():
            return all(_storable(item) for item in value)
    return True
