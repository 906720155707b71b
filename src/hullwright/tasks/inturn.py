"""Several stacks in one run: one after another, until the first that fails."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hullwright.tasks.session import Renderer, Session

    Show = Callable[[object], None]


def stacks(session: Session, given: Sequence[str] | None) -> list[str | None]:
    """Return the stacks that are meant, in the given order; None for the one without a name.

    Raises:
        UsageError: one is unknown; nothing was begun then.
    """
    from hullwright.errors import unknown

    known = session.config.stacks
    for name in given or ():
        # Without any stack the feature says what a repository needs to have one.
        if name not in known and known:
            raise unknown("stack", name, known)
    return list(dict.fromkeys(given or ())) or [None]


def in_turn(
    session: Session,
    names: Sequence[str | None],
    work: Callable[[str | None, Show], bool],
    renderer: Renderer,
    output_format: str,
    *,
    summarise: bool = False,
    undone: str = "not started",
) -> bool:
    """Do some work for each stack, show what it gives, and return whether all of them held.

    The first that fails, by its result or by an error, is the last; those left are named.

    Args:
        session: the run.
        names: stacks, in order.
        work: gets a stack and what shows a result; returns whether that held.
        renderer: the forms of one result.
        output_format: text, json or markdown; several results are one document of the latter two.
        summarise: whether results go to the job summary too.
        undone: what is said of those that are left.
    """
    from hullwright.report.several import Several

    single, left, held = len(names) == 1, list(names), True
    results: list[object] = []

    def show(result: object) -> None:
        if single or output_format == "text":
            if results:
                session.console.result("")
            session.show(renderer, result, output_format, summarise=summarise)
        elif summarise:
            session.console.summarise(renderer.markdown(result))
        results.append(result)

    try:
        while left and held:
            name = left.pop(0)
            if results:
                # A record's duration is that of its own stack.
                session.started_s = time.monotonic()
            held = work(name, show)
    finally:
        rest = tuple(name for name in left if name)
        if not single and output_format != "text":
            session.show(Several(renderer, undone, rest), tuple(results), output_format)
        elif rest:
            session.console.note(f"{undone}: {', '.join(rest)}")
    return held
