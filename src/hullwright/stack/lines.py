"""The logs of stacks: handed over as they are, or line by line where they are filtered."""

from __future__ import annotations

import queue
import re
import select
import shlex
import signal
import threading
from collections import deque
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from hullwright.errors import CheckFailedError, UsageError
from hullwright.stack.looking import known, project_name
from hullwright.stack.words import invoked
from hullwright.tools import engine
from hullwright.tools.compose import Invocation

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Sequence

    from hullwright.stack.selection import Selection
    from hullwright.workspace import Workspace

# What stands between a container's name and what it wrote.
_BAR: Final = " | "
_LOOK_S: Final = 0.5
_INTERRUPTED: Final = frozenset({-signal.SIGINT, 130})
_TAIL: Final = re.compile(r"\d+|all")
# What the engine takes: a Go duration, seconds since 1970, or a moment of RFC 3339.
_SINCE: Final = re.compile(
    r"(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+"
    r"|\d+(\.\d+)?"
    r"|\d{4}-\d\d-\d\d(T\d\d(:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d:\d\d)?)?"
)

# What stands before a stack's lines, and the command that prints them; or one of them.
_Command = tuple[str, tuple[str, ...]]
_Line = tuple[str, str]


def logs(
    ws: Workspace,
    selection: Selection,
    *,
    follow: bool = False,
    tail: str | None = None,
    since: str | None = None,
) -> int:
    """Hand the stack's logs over to the terminal and return 0, also when a reader has enough.

    Raises:
        UsageError: a service is unknown, or a flag's words cannot be meant.
        CheckFailedError: nothing of the stack, or not a named service, is there.
    """
    words = log_words(ws, selection, follow=follow, tail=tail, since=since)
    argv = Invocation(project=project_name(ws, selection)).argv(*words)
    code = ws.runner.attach(*argv, cwd=ws.root)
    return 0 if code in _INTERRUPTED or _reader_gone(ws) else code


def log_words(
    ws: Workspace,
    selection: Selection,
    *,
    follow: bool = False,
    tail: str | None = None,
    since: str | None = None,
) -> list[str]:
    """Return the words after `docker compose` that show a stack's logs, once it is known to be.

    Raises:
        UsageError: a service is unknown, or a flag's words cannot be meant.
        CheckFailedError: nothing of the stack, or not a named service, is there.
    """
    if tail is not None and not _TAIL.fullmatch(tail):
        raise UsageError(f"--tail {tail} is no number of lines", next_step="--tail 100, or all")
    if since is not None and not _SINCE.fullmatch(since):
        raise UsageError(
            f"--since {since} is no time", next_step="--since 10m, or --since 2026-01-31T12:00:00Z"
        )
    there = engine.of_project(ws.runner, project_name(ws, selection))
    names = known(ws, selection, there)
    if not there:
        raise CheckFailedError(
            f"nothing of {project_name(ws, selection)} runs, so there are no logs",
            next_step=invoked("up", selection.stack.name),
        )
    words = ["logs"]
    words += ["--follow"] if follow else []
    words += ["--tail", tail] if tail is not None else []
    words += ["--since", since] if since is not None else []
    return [*words, *names]


def pattern(text: str) -> re.Pattern[str]:
    """Return a regular expression of Python's.

    Raises:
        UsageError: it is none.
    """
    try:
        return re.compile(text)
    except re.error as error:
        raise UsageError(
            f"--grep {text} is no regular expression",
            why=str(error),
            next_step=f"to find those very letters: --grep {shlex.quote(re.escape(text))}",
        ) from error


def log_lines(
    ws: Workspace,
    selections: Sequence[Selection],
    *,
    grep: str = "",
    follow: bool = False,
    tail: str | None = None,
    since: str | None = None,
) -> Iterator[str]:
    """Yield the lines of stacks' logs that match, each with the container's name before it.

    The expression is looked for in what the container wrote, not in the name before it, and before
    secrets are masked. Of several stacks each name is `STACK/NAME`; they come one after another,
    and together where they are followed.

    Raises:
        UsageError: a service is unknown, or a flag's words cannot be meant.
        CheckFailedError: nothing of a stack is there, or Compose cannot show its logs.
    """
    wanted = pattern(grep)
    commands = []
    for one in selections:
        words = log_words(ws, one, follow=follow, tail=tail, since=since)
        call = Invocation(project=project_name(ws, one))
        argv = tuple(call.argv("--ansi", "never", *words))
        commands.append((f"{one.stack.name}/" if len(selections) > 1 else "", argv))
    for prefix, line in (_together if follow else _in_turn)(ws, commands):
        name, bar, message = line.partition(_BAR)
        if wanted.search(message if bar else name):
            yield ws.runner.redacted(f"{prefix}{line}")


def _in_turn(ws: Workspace, commands: Sequence[_Command]) -> Iterator[_Line]:
    for prefix, argv in commands:
        with ws.runner.beside(*argv, cwd=ws.root) as process:
            yield from ((prefix, line) for line in _read(ws, process))


def _together(ws: Workspace, commands: Sequence[_Command]) -> Iterator[_Line]:
    found: queue.SimpleQueue[_Line | None] = queue.SimpleQueue()

    def pump(prefix: str, process: subprocess.Popen[str]) -> None:
        try:
            for line in _read(ws, process):
                found.put((prefix, line))
        except (ValueError, CheckFailedError):
            # Closed under this thread, or ended with the stack: the others go on.
            pass
        found.put(None)

    with ExitStack() as running:
        for prefix, argv in commands:
            process = running.enter_context(ws.runner.beside(*argv, cwd=ws.root))
            threading.Thread(target=pump, args=(prefix, process), daemon=True).start()
        left = len(commands)
        while left:
            try:
                each = found.get(timeout=_LOOK_S)
            except queue.Empty:
                # Nothing is written, so nothing else tells that the reader has enough (`| head`).
                if _reader_gone(ws):
                    return
                continue
            left -= each is None
            if each is not None:
                yield each


def _read(ws: Workspace, process: subprocess.Popen[str]) -> Iterator[str]:
    last: deque[str] = deque(maxlen=5)
    for raw in process.stdout or ():
        line = raw.rstrip("\r\n")
        last.append(line)
        yield line
    if process.wait() > 0:
        raise CheckFailedError(
            "Compose cannot show the logs", why=ws.runner.redacted("\n".join(last))
        )


def _reader_gone(ws: Workspace) -> bool:
    """Return whether nobody reads our output any more (`invoke logs | head`): no failure of ours.

    Compose ends with 255 then, which says nothing; the pipe itself does.
    """
    try:
        descriptor = ws.console.out.fileno()
    except (OSError, ValueError):
        return False
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return any(event & select.POLLERR for _, event in poll.poll(0))
