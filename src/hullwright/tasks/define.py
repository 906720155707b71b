"""How a task is defined: Invoke's decorator with the conventions of this suite.

This module is imported at every start, also for `invoke --list`, so it imports nothing heavy.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from invoke import Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from invoke import Context

FORMATS: Final = "text, json or markdown"
# What the flags of every task of stacks say.
STACK: Final = "the stack of the configuration; default: default, or the only one"
STACKS: Final = f"{STACK}; several with commas, one after another"
TIMEOUT: Final = "longest wait, such as 2m, and of single services: 2m,db=30s"
ENV: Final = "the environment whose secrets are handed over; default development"
SECRETS: Final = (
    "where values come from: sops, file (.env) or none; default sops where that file exists"
)
PROFILE: Final = "compose profiles to switch on besides the configured ones"


def task(
    *,
    name: str | None = None,
    aliases: tuple[str, ...] = (),
    lists: tuple[str, ...] = (),
    repeated: tuple[str, ...] = (),
    operands: str = "",
    words: str = "",
    formats: tuple[str, ...] = (),
    own_formats: tuple[str, ...] = (),
    flags: dict[str, str],
) -> Callable[[Callable[..., None]], Task[Any]]:
    """Return a decorator that makes a task of a function whose first parameter is a `Session`.

    Args:
        name: the task's name; default the function's.
        aliases: other names.
        lists: parameters that are lists: repeated flags or commas.
        repeated: parameters that are lists by repetition only, since a value may hold commas.
        operands: the parameter that `hullwright NAME a b` fills; bare Invoke has the flag only.
        words: the parameter that `hullwright NAME -- a b` fills exactly.
        formats: forms that `--format` takes besides the three of every task.
        own_formats: forms that it takes in place of those three.
        flags: help of each flag.
    """

    def decorate(body: Callable[..., None]) -> Task[Any]:
        @wraps(body)
        def guarded(context: Context, /, **arguments: Any) -> None:
            from hullwright.tasks.session import FORMS, run_task

            split = {name: _split(arguments[name]) for name in lists if name in arguments}
            run_task(body, context, arguments | split, own_formats or (*FORMS, *formats))

        made: Task[Any] = Task(
            guarded,
            name=name,
            aliases=aliases,
            iterable=(*lists, *repeated),
            positional=(),
            # Short flags would be given out by the order of parameters and so change meaning.
            auto_shortflags=False,
            help=flags,
        )
        made.operands, made.words = operands, words  # type: ignore[attr-defined]  # for hullwright.cli
        return made

    return decorate


def _split(values: list[str] | str | None) -> list[str]:
    # Another task may call one of ours with one name: `call(up, stack="web")`.
    given = [values] if isinstance(values, str) else values or []
    return [part for value in given for part in value.split(",") if part]
