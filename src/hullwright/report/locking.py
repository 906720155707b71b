"""What became of the lock of base images, and what moved since, as text, Markdown and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hullwright.bases.lockmodels import Locked, LockPlan, shown
from hullwright.bases.packages import differing
from hullwright.bases.stale import told
from hullwright.locked import FILE
from hullwright.report.table import aligned
from hullwright.report.table import markdown as markdown_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from hullwright.bases.lockmodels import Change, Compared, Outdated
    from hullwright.locked import LockedImage

_SCHEMA: Final = 1
_MARKS: Final = {"add": "+", "move": "→", "keep": "✓", "drop": "-"}
_DONE: Final = {"add": "locked", "move": "moved", "keep": "kept", "drop": "dropped"}
_STATES: Final = {"current": "✓", "moved": "!", "unknown": "?"}


def text(result: Locked | LockPlan | Outdated) -> str:
    """Return the lock for a person: a line for each image, and what to do next.

    A plan, which `--dry` shows, has its own text form.
    """
    if isinstance(result, LockPlan):
        return str(result)
    rows = _rows(result)
    lines = [f"  {line}" for line in aligned(rows, gap=2).splitlines()]
    return "\n".join([_head(result), *([""] if lines else []), *lines, *_after(result)])


def markdown(result: Locked | LockPlan | Outdated) -> str:
    """Return the lock as a table for a job summary."""
    if isinstance(result, LockPlan):
        return f"```\n{result}\n```"
    rows = [(row[1], *row[2:]) for row in _rows(result)]
    last = "from" if isinstance(result, Locked) else "since"
    table = markdown_table(("image", "state", "what", last), [_padded(row) for row in rows])
    return f"### {_head(result)}\n\n{table}"


def as_json(result: Locked | LockPlan | Outdated) -> dict[str, Any]:
    """Return the lock as documented values."""
    if isinstance(result, LockPlan):
        return {"schema": _SCHEMA, "plan": str(result).splitlines()}
    if isinstance(result, Locked):
        return {
            "schema": _SCHEMA,
            "plan": str(result.plan).splitlines(),
            "changes": [_change(change) for change in result.changes],
            "notes": list(result.plan.notes),
        }
    return {"schema": _SCHEMA, "outdated": [_compared(image) for image in result.images]}


def _head(result: Locked | Outdated) -> str:
    if isinstance(result, Locked):
        count = len(result.lock.images)
        what = f"{FILE} holds {count} base image{'' if count == 1 else 's'}"
        changed = [change for change in result.changes if change.action != "keep"]
        if not changed:
            return f"{what}, nothing to change"
        kinds = {c.action: sum(1 for e in changed if e.action == c.action) for c in changed}
        return f"{what}: {', '.join(f'{n} {_DONE[kind]}' for kind, n in kinds.items())}"
    count, moved = len(result.images), len(result.moved)
    what = f"{count} locked image{'' if count == 1 else 's'}"
    unknown = f", {len(result.unknown)} not told" if result.unknown else ""
    return f"{what}, {f'{moved} moved' if moved else 'none moved'}{unknown}"


def _rows(result: Locked | Outdated) -> list[tuple[str, ...]]:
    if isinstance(result, Locked):
        return [_change_row(change) for change in result.changes]
    return [_compared_row(image) for image in result.images]


def _change_row(change: Change) -> tuple[str, ...]:
    mark, done = _MARKS[change.action], _DONE[change.action]
    before, after = change.before, change.after
    if change.action == "drop" or after is None:
        return mark, change.image, done, change.cause, ""
    moved = before is not None and shown(before) != shown(after)
    what = f"{shown(before)} → {shown(after)}" if before and moved else shown(after)
    packages = _packages(before, after) if change.action == "move" else ""
    number = len(after.packages)
    count = f"{number} package{'' if number == 1 else 's'}" * bool(number and not packages)
    return mark, change.image, done, what, packages or count or after.source


def _packages(before: LockedImage | None, after: LockedImage) -> str:
    # A registry's image in place of a stand-in is known by its digest: its packages are not gone.
    if before is None or not before.packages or after.digest:
        return ""
    return told(differing(before.packages, after.packages))


def _compared_row(image: Compared) -> tuple[str, ...]:
    mark, since = _STATES[image.state], f"locked {_day(image.before.at)}"
    if image.state == "unknown":
        said = "; ".join(f"{place}: {words}" for place, words in image.said)
        return mark, image.image, "not told", said or shown(image.before), since
    if image.state == "current":
        return mark, image.image, "as locked", shown(image.before), since
    made = f"made {_day(image.created)}, " if image.created else ""
    if image.moved:
        return mark, image.image, "moved", told(image.moved), f"{made}{since}"
    after = shown(image.after) if image.after else ""
    return mark, image.image, "moved", f"{shown(image.before)} → {after}", f"{made}{since}"


def _after(result: Locked | Outdated) -> Iterator[str]:
    if isinstance(result, Locked):
        if result.plan.notes:
            yield ""
            yield from (f"! {note}" for note in result.plan.notes)
    elif result.moved:
        names = " ".join(f"--update {image.image}" for image in result.moved)
        yield ""
        yield f"next  invoke images {names}"


def _padded(row: tuple[str, ...]) -> tuple[str, ...]:
    return (f"`{row[0]}`", *row[1:], *[""] * (4 - len(row)))


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"


def _change(change: Change) -> dict[str, Any]:
    return {
        "image": change.image,
        "action": change.action,
        "cause": change.cause,
        "before": _entry(change.before),
        "after": _entry(change.after),
    }


def _compared(image: Compared) -> dict[str, Any]:
    return {
        "image": image.image,
        "state": image.state,
        "locked": _entry(image.before),
        "now": _entry(image.after),
        "created": image.created.isoformat() if image.created else None,
        "moved": list(image.moved),
        "said": [{"place": place, "words": words} for place, words in image.said],
    }


def _entry(image: LockedImage | None) -> dict[str, Any] | None:
    if image is None:
        return None
    return {
        "digest": image.digest or None,
        "platforms": dict(image.platforms),
        "source": image.source,
        # What is only compared was locked at no time.
        "at": image.at.isoformat() if image.at.timestamp() else None,
        "stand_in": image.stand_in or None,
        "packages": dict(image.packages),
    }
