"""`hullwright`: the same tasks as Invoke's, with a parser of its own.

Bare Invoke ends with 1 on a parse error and on Ctrl-C, has no lists of operands, and joins the
words after `--`. This front end gives 2 and 130, operands, and exact words; everything else,
also a repository's own tasks, is Invoke's collection and executor.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from hullwright.errors import ExitCode, HullwrightError, UsageError, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from invoke import Collection, Config
    from invoke.parser import Argument

_USAGE = "hullwright [--echo] [--dry] TASK [operands] [flags] [-- words]"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one task by its name and return the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(words)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except HullwrightError as error:
        sys.stderr.write(f"✗ {error}\n")
        return error.exit_code


def _run(words: list[str]) -> int:
    options, rest = _own_options(words)
    if options.version:
        from hullwright.tasks.session import own_version

        sys.stdout.write(f"hullwright {own_version()}\n")
        return ExitCode.DONE
    namespace = _namespace()
    if options.task is None or options.list:
        sys.stdout.write(_listing(namespace))
        return ExitCode.DONE
    names = namespace.task_names
    known = {*names, *(alias for aliases in names.values() for alias in aliases)}
    if options.task not in known:
        raise unknown("task", options.task, names)
    arguments = _arguments(namespace, options.task, ["--help"] if options.help else rest)
    return _execute(namespace, options, arguments)


def _own_options(words: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Return our own options and the words that are left for the task.

    `--echo` and `--dry` are accepted on either side of the task's name, as Invoke does.
    """
    before = words[: words.index("--")] if "--" in words else words
    after = words[len(before) :]
    parser = argparse.ArgumentParser(prog="hullwright", usage=_USAGE, add_help=False)
    parser.add_argument("--echo", action="store_true")
    parser.add_argument("--dry", action="store_true")
    head = before[: next((i for i, w in enumerate(before) if not w.startswith("-")), len(before))]
    tail = before[len(head) :]
    parser.add_argument("--version", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--help", "-h", action="store_true")
    options = parser.parse_args(head)
    options.task = tail[0] if tail else None
    for flag in ("echo", "dry"):
        if f"--{flag}" in tail:
            setattr(options, flag, True)
    return options, [w for w in tail[1:] if w not in {"--echo", "--dry"}] + after


def _namespace() -> Collection:
    """Return the tasks of the repository that this is run in, else ours alone."""
    from invoke import Collection, Config, FilesystemLoader
    from invoke.exceptions import CollectionNotFound

    from hullwright.tasks import collection

    try:
        module, folder = FilesystemLoader(config=Config()).load("tasks")
    except CollectionNotFound:
        return collection()
    except (ImportError, SyntaxError) as error:
        raise UsageError("tasks.py of this repository cannot be loaded", why=str(error)) from error
    loaded = Collection.from_module(module, loaded_from=folder)
    return loaded if loaded.task_names else collection()


def _listing(namespace: Collection) -> str:
    from hullwright.report.table import aligned

    rows = []
    for name in sorted(namespace.task_names):
        summary = (namespace[name].__doc__ or "").strip().splitlines() or [""]
        rows.append((f"  {name}", summary[0]))
    return f"usage: {_USAGE}\n\n{aligned(rows)}\n"


def _arguments(namespace: Collection, name: str, words: list[str]) -> dict[str, Any]:
    """Return the keyword arguments of a task from its words; a wrong word ends with 2."""
    task = namespace[name]
    operands, exact = getattr(task, "operands", ""), getattr(task, "words", "")
    summary = (task.__doc__ or "").strip().splitlines() or [""]
    parser = argparse.ArgumentParser(
        prog=f"hullwright {name}",
        description=summary[0],
        allow_abbrev=False,
        # A repository's task may have a flag -h of its own, as Invoke gives it to `host`.
        conflict_handler="resolve",
    )
    arguments = task.get_arguments()
    for argument in arguments:
        _add(parser, argument)
    if operands:
        several = any(a.kind is list for a in arguments if a.name == operands)
        parser.add_argument("operands", nargs="*" if several else "?", metavar=operands)
    split = words.index("--") if "--" in words and exact else len(words)
    given = vars(parser.parse_args(words[:split]))
    more = given.pop("operands", None)
    if more:
        given[operands] = [*given[operands], *more] if isinstance(more, list) else more
    if words[split + 1 :]:
        import shlex

        given[exact] = shlex.join(words[split + 1 :])
    return given


def _add(parser: argparse.ArgumentParser, argument: Argument) -> None:
    """Add one of Invoke's arguments to an argparse parser."""
    # Its name is the parameter's, with underscores; its names are what people type.
    flags = [f"--{name}" if len(name) > 1 else f"-{name}" for name in argument.names]
    # argparse formats help texts, in which a percent sign is its own.
    explained = (argument.help or "").replace("%", "%%")
    details: dict[str, Any] = {"dest": argument.name, "help": explained}
    if argument.positional:
        parser.add_argument(details.pop("dest"), help=details["help"])
    elif argument.kind is bool:
        action = argparse.BooleanOptionalAction if argument.default else "store_true"
        parser.add_argument(*flags, action=action, default=argument.default, **details)
    elif argument.kind is list:
        parser.add_argument(*flags, action="append", default=[], **details)
    elif argument.optional:
        parser.add_argument(*flags, nargs="?", const=True, default=argument.default, **details)
    else:
        parser.add_argument(*flags, type=argument.kind, default=argument.default, **details)


def _execute(namespace: Collection, options: argparse.Namespace, arguments: dict[str, Any]) -> int:
    from invoke import Executor
    from invoke.exceptions import Exit, ParseError, UnexpectedExit

    try:
        Executor(namespace, _config(options)).execute((options.task, arguments))
    except Exit as end:
        if end.message:
            sys.stderr.write(f"{end.message}\n")
        return end.code
    except UnexpectedExit as failed:
        sys.stderr.write(f"{failed}\n")
        return int(failed.result.exited)
    except ParseError as error:
        raise UsageError(str(error)) from error
    return ExitCode.DONE


def _config(options: argparse.Namespace) -> Config:
    from invoke import Config

    return Config(overrides={"run": {"echo": options.echo, "dry": options.dry}})
