"""New budgets in place of those that are exceeded, written where the old ones stand.

The rule: `hard` and `own-growth` become what was measured and a tenth more, `soft` and a twentieth
more, rounded up to two digits; the largest platform counts. What holds is left as it is. Comments
and layout of the file stay, and the reason stands behind the budgets as a comment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hullwright.config.source import OWN_FILE, PYPROJECT, read_files
from hullwright.errors import HullwrightError, UsageError
from hullwright.files import write_atomic
from hullwright.images import size_text
from hullwright.sizes.budgets import applying, budgets_of, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date

    from hullwright.config.models import Budget
    from hullwright.sizes.models import BudgetResult, ImageSizes, SizeReport
    from hullwright.workspace import Workspace

# Per cent of what was measured that a new limit is.
_HEADROOM: Final = {"soft": 105, "hard": 110, "own-growth": 110}
_DIGITS: Final = 2
_UNITS: Final = (("GB", 10**9), ("MB", 10**6), ("kB", 10**3))
# The reason of an earlier update gives way to the next one; anybody else's comment stays.
_OURS: Final = re.compile(r"#\s*\d{4}-\d{2}-\d{2}: ")


@dataclass(frozen=True, slots=True)
class Change:
    """One limit that is written anew.

    Attributes:
        service: whose budget it is.
        index: which of the service's budgets, from 0, as they stand in the file.
        metric, platform: what it limits; no platform for all.
        key: `soft`, `hard` or `own-growth`.
        figure: what was measured.
        before, after: the limit; bytes, and a count for `layers`.
    """

    service: str
    index: int
    metric: str
    platform: str
    key: str
    figure: int
    before: int
    after: int

    @property
    def name(self) -> str:
        """Whose limit it is, of what."""
        words = (self.service, self.metric, self.platform, self.key)
        return " ".join(word for word in words if word)

    @property
    def written(self) -> str | int:
        """The limit as it stands in the file."""
        return self.after if self.metric == "layers" else _written(self.after)


@dataclass(frozen=True, slots=True)
class UpdatePlan:
    """What is going to be written.

    Attributes:
        file: name of the file that configures the repository.
        reason: why, in the words of whoever asked for it; one line.
        day: when, ISO 8601.
        changes: limits, in the order of the file.
        unknown: figures that are not known, so that their budgets stay.
        unjudged: budgets of own growth that stay because it is not known, and why that is.
        content: of the file, when it was looked at.
    """

    file: str
    reason: str
    day: str
    changes: tuple[Change, ...]
    unknown: tuple[str, ...] = ()
    content: str = ""
    unjudged: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the plan for a person; stable, so tests assert it."""
        if self.changes:
            count = "1 limit" if len(self.changes) == 1 else f"{len(self.changes)} limits"
            lines = [f"{count} in {self.file}: {self.reason}"]
        else:
            known = " that could be judged" if self.unknown or self.unjudged else ""
            lines = [f"every budget{known} holds, so nothing is written to {self.file}"]
        lines += [
            f"  {change.name}  {_shown(change, change.before)} → {_shown(change, change.after)}"
            f"  (measured {_shown(change, change.figure)})"
            for change in self.changes
        ]
        lines += [f"  {name} is not known, so its budget stays" for name in self.unknown]
        lines += [f"  {name}, so its limit stays" for name in self.unjudged]
        return "\n".join(lines)

    def as_values(self) -> dict[str, Any]:
        """Return what the history keeps of it."""
        return {
            "reason": self.reason,
            "file": self.file,
            "changes": [
                {
                    "service": change.service,
                    "metric": change.metric,
                    "platform": change.platform or None,
                    "limit": change.key,
                    "measured": change.figure,
                    "before": change.before,
                    "after": change.after,
                }
                for change in self.changes
            ],
        }


def plan(ws: Workspace, report: SizeReport, *, reason: str, day: date) -> UpdatePlan:
    """Return which limits have to change so that what was measured is within budget.

    Args:
        ws: the repository.
        report: what was measured; its comparisons count for own growth.
        reason: why they change.
        day: today.

    Raises:
        UsageError: there is no reason.
        HullwrightError: the file cannot be read.
    """
    words = " ".join(reason.split())
    if not words:
        raise UsageError(
            "--update-budgets needs a reason",
            why="who reads the budget later asks why it was raised",
            next_step='invoke sizes --update-budgets --reason "…"',
        )
    # Which file it is was found out before, when the configuration was loaded.
    name = read_files(ws.root)[0]
    unknown: dict[str, None] = {}
    unjudged: dict[str, None] = {}
    needed: dict[tuple[str, int, str], Change] = {}
    for row in report.images:
        for index, budget, result in _judged(ws, row):
            service = row.subject.service
            figure_of = f"{service} {row.figures.platform} {budget.metric}"
            if result.value is None:
                unknown[figure_of] = None
            elif result.own_growth is not None and result.growth is None:
                unjudged[f"{figure_of}: {result.note}"] = None
            for key, figure, before in _exceeded(result):
                place = (service, index, key)
                if place not in needed or needed[place].figure < figure:
                    whose = (service, index, budget.metric, budget.platform, key)
                    needed[place] = Change(*whose, figure, before, _limit(key, figure, result))
    changes = tuple(needed[place] for place in sorted(needed, key=_order(ws)))
    left = tuple(unknown), _content(ws, name), tuple(unjudged)
    return UpdatePlan(name, words, day.isoformat(), changes, *left)


def execute(ws: Workspace, update: UpdatePlan) -> None:
    """Write the limits of a plan into the file, all of them or none.

    Raises:
        HullwrightError: the file was changed since, a budget does not stand in it, or it cannot be
            written.
        LockedError: another run is writing it.
    """
    if not update.changes:
        return
    path = ws.root / update.file
    with ws.writing(path, update.file) as by:
        if _content(ws, update.file) != update.content:
            raise HullwrightError(
                f"{update.file} was changed while images were measured, so nothing was written",
                next_step="run it again",
            )
        write_atomic(path, edited(update), mode=path.stat().st_mode & 0o777, by=by)


def edited(update: UpdatePlan) -> str:
    """Return the file's content with the new limits, everything else as it was.

    Raises:
        HullwrightError: a budget does not stand in it.
    """
    # Imported where a file is edited: the library takes longer to import than a plan to make.
    import tomlkit

    document = tomlkit.parse(update.content)
    for change in update.changes:
        budgets = _budgets(document, update.file, change.service)
        budget = budgets[change.index] if change.index < len(budgets) else {}
        if budget.get("metric") != change.metric or change.key not in budget:
            raise _not_there(update.file, change)
        budget[change.key] = change.written
        _explain(budgets, budget, change.key, f"{update.day}: {update.reason}")
    return tomlkit.dumps(document)


def _judged(ws: Workspace, row: ImageSizes) -> Iterator[tuple[int, Budget, BudgetResult]]:
    """Yield the budgets of one platform with their places in the file."""
    budgets = budgets_of(ws.config, row.subject.service, row.subject.target)
    kept = applying(budgets, row.figures.platform)
    results = iter(judge(budgets, row.figures, row.compared))
    for index, budget in enumerate(budgets):
        if any(each is budget for each in kept):
            yield index, budget, next(results)


def _exceeded(result: BudgetResult) -> Iterator[tuple[str, int, int]]:
    """Yield each limit that is exceeded: its key, what was measured, and what it is."""
    for key, figure, limit in (
        ("soft", result.value, result.soft),
        ("hard", result.value, result.hard),
        ("own-growth", result.growth, result.own_growth),
    ):
        if figure is not None and limit is not None and figure > limit:
            yield key, figure, limit


def _order(ws: Workspace) -> Callable[[tuple[str, int, str]], tuple[int, int, int]]:
    services, keys = list(ws.config.services), list(_HEADROOM)
    return lambda place: (services.index(place[0]), place[1], keys.index(place[2]))


def _limit(key: str, figure: int, result: BudgetResult) -> int:
    """Return a figure with its headroom, rounded up to two digits; a count to a whole one."""
    # Whole numbers throughout: a limit must not be below what was measured by a rounding.
    limit = -(-figure * _HEADROOM[key] // 100)
    if result.metric != "layers":
        step = int("1" + "0" * max(0, len(f"{limit}") - _DIGITS))
        limit = -(-limit // step) * step
    if key == "soft" and result.hard is not None and result.hard >= figure:
        # The hard one holds and stays.
        return min(limit, result.hard)
    return limit


def _written(count_bytes: int) -> str:
    for unit, value in _UNITS:
        if count_bytes >= value:
            return f"{count_bytes / value:g}{unit}"
    return f"{count_bytes}B"


def _shown(change: Change, value: int) -> str:
    return str(value) if change.metric == "layers" else size_text(value)


def _content(ws: Workspace, name: str) -> str:
    try:
        return (ws.root / name).read_text(encoding="utf-8")
    except OSError as error:
        raise HullwrightError(
            f"{name} cannot be read, so no budget can be written into it", why=f"{error.strerror}"
        ) from error


def _budgets(document: Mapping[str, Any], file: str, service: str) -> Any:
    table: Any = document
    path = ("tool", "hullwright") if file == PYPROJECT else ()
    for key in (*path, "services", service):
        table = table.get(key) or {}
    return table.get("budgets") or []


def _not_there(file: str, change: Change) -> HullwrightError:
    where = "[tool.hullwright]" if file == PYPROJECT else OWN_FILE
    return HullwrightError(
        f"the budget {change.metric} of {change.service} does not stand in {file}",
        why="it comes from elsewhere, so nothing was written",
        next_step=f"write it below services.{change.service} in {where}, and run it again",
    )


def _explain(budgets: Any, budget: Any, key: str, comment: str) -> None:
    """Set the comment behind a list of budgets, or behind the limit where each is a table."""
    from tomlkit.items import Array

    item = budgets if isinstance(budgets, Array) else budget.value.item(key)
    if not item.trivia.comment or _OURS.match(item.trivia.comment):
        item.comment(comment)
