"""One look at one check: whether it holds of a container now, and what was seen where it does not.

Each returns an empty text where it holds, else what was seen in its place: a first line of our own
words, and below it what a program said.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

from hullwright.errors import UnavailableError, UsageError
from hullwright.tools import dialling, engine, reach

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hullwright.config.models import Check, CheckType
    from hullwright.outcome import Result
    from hullwright.tools.reach import Seen
    from hullwright.workspace import Workspace

    Look = Callable[[Workspace, Check, Seen, float], str]

# As the documentation of Alembic has them.
CURRENT: Final = ("alembic", "current")
HEAD: Final = ("alembic", "heads")
# So much of a log is searched.
_LOG_LINES: Final = 10_000
_SHOWN: Final = 300
_SHOWN_LINES: Final = 5


def look(ws: Workspace, check: Check, seen: Seen, left_s: float) -> str:
    """Return what is seen in place of what must hold, empty where it holds.

    Raises:
        UsageError: the check names no port, and the container has several.
    """
    return _LOOKS[check.type](ws, check, seen, left_s)


def excerpt(text: str) -> str:
    """Return the beginning of what a program said, without what would steer a terminal."""
    plain = "".join(each for each in text if each.isprintable() or each in "\n\t ").strip()
    return plain if len(plain) <= _SHOWN else f"{plain[:_SHOWN]} …"


def _http(_: Workspace, check: Check, seen: Seen, left_s: float) -> str:
    port, told = _port(check, seen)
    if not port:
        return told
    for way in reach.ways(seen, port):
        try:
            answer = dialling.get(way.host, way.port, check.path, left_s)
        except dialling.UnansweredError as error:
            said = f"\n{excerpt(str(error.why))}" if error.why else ""
            told = f"{error.what}{_elsewhere(seen, port)}{said}"
            continue
        return _answered(check, answer)
    return told or _unreachable(seen, port)


def _answered(check: Check, answer: dialling.Answer) -> str:
    text = answer.body.decode("utf-8", errors="replace")
    if answer.status != check.status:
        to = f"\nto {excerpt(answer.location)}" if answer.location else ""
        said = f"\n{excerpt(text)}" if excerpt(text) else ""
        return f"status {answer.status}{to}{said}"
    if check.body and re.search(check.body, text) is None:
        cut = f" in the first {dialling.BODY_BYTES >> 20} MiB of it" if answer.cut else ""
        said = excerpt(text) or "(nothing)"
        return f"status {answer.status}, but its body does not match{cut}\n{said}"
    return ""


def _tcp(_: Workspace, check: Check, seen: Seen, left_s: float) -> str:
    port, told = _port(check, seen)
    if not port:
        return told
    # Docker's proxy takes connections that nobody in the container does: so its address first.
    for way in sorted(reach.ways(seen, port), key=lambda way: way.proxied):
        try:
            dialling.connect(way.host, way.port, left_s, proxied=way.proxied)
        except dialling.UnansweredError as error:
            told = f"{error.what}{_elsewhere(seen, port)}"
            continue
        return ""
    return told or _unreachable(seen, port)


def _port(check: Check, seen: Seen) -> tuple[int, str]:
    """Return the port that is meant; 0 and what was seen where there is none."""
    if seen.container.state != "running":
        return 0, _not_running(seen)
    if check.port is not None:
        return check.port, ""
    found = reach.port_of(seen.listening, set(seen.container.listens))
    if len(found) > 1:
        raise UsageError(
            f"the {check.type} check of {check.service} names no port, and it has several",
            why=[("ports", ", ".join(map(str, found)))],
            next_step=f"write port = {found[0]}, or another one of them, in that check",
        )
    return (found[0], "") if found else (0, "it listens on no port, and declares none")


def _elsewhere(seen: Seen, port: int) -> str:
    """Return on what it listens, where that is not what was asked for."""
    found = seen.listening
    if port in found or not found:
        return ""
    return f"; it listens on {', '.join(map(str, sorted(found)))}, not on {port}"


def _unreachable(seen: Seen, port: int) -> str:
    if seen.mode == "none":
        return "it has no network"
    return f"port {port} of {seen.container.name} cannot be reached from here: publish it"


def _command(ws: Workspace, check: Check, seen: Seen, left_s: float) -> str:
    told, _ = _run(ws, seen, check.command, left_s)
    return told


def _migrations(ws: Workspace, check: Check, seen: Seen, left_s: float) -> str:
    revisions = []
    for words in (check.current or CURRENT, check.head or HEAD):
        told, answer = _run(ws, seen, words, left_s)
        if answer is None or told:
            return f"{shlex.join(words)}: {told}"
        revisions.append(_first_words(answer.stdout))
    current, head = revisions
    if not head:
        return f"{shlex.join(check.head or HEAD)} names no revision"
    return "; ".join(
        f"{what}: {', '.join(sorted(names))}"
        for what, names in (
            ("missing in the database", head - current),
            ("in the database, and unknown to the program", current - head),
        )
        if names
    )


def _run(
    ws: Workspace, seen: Seen, words: tuple[str, ...], left_s: float
) -> tuple[str, Result | None]:
    """Run a command in a container; return what was seen in place of its end with 0, and it."""
    if seen.container.state != "running":
        return _not_running(seen), None
    try:
        # It is the repository's own command: it may change what is in the container.
        answer = ws.runner.run(
            "docker", "exec", seen.container.id, *words, timeout_s=left_s, check=False
        )
    except UnavailableError:
        return f"it did not end within {left_s:.1f} s", None
    if answer.ok:
        return "", answer
    said = [line for line in (answer.stdout + answer.stderr).splitlines() if line.strip()]
    shown = "\n".join(excerpt(ws.runner.redacted(line)) for line in said[-_SHOWN_LINES:])
    return f"it ended with {answer.returncode}\n{shown or '(it printed nothing)'}", answer


def _logs(ws: Workspace, check: Check, seen: Seen, left_s: float) -> str:
    try:
        answer = ws.runner.read(
            *("docker", "logs", "--tail", str(_LOG_LINES), seen.container.id),
            timeout_s=max(left_s, 1.0),
            check=False,
        )
    except UnavailableError:
        return f"its log could not be read within {left_s:.1f} s"
    engine.check_reachable(answer)
    if not answer.ok:
        said = excerpt(ws.runner.redacted(answer.stderr))
        return f'its log goes to the driver "{seen.log_driver}", and cannot be read\n{said}'
    lines = [line for line in (answer.stdout + answer.stderr).splitlines() if _readable(line)]
    if not lines:
        return "it wrote no line that can be read"
    if check.contains and not any(re.search(check.contains, line) for line in lines):
        return f"none of its last {len(lines)} lines matches"
    return ""


def _readable(line: str) -> bool:
    """Whether a line holds a character that shows; what is no UTF-8 was replaced before."""
    return any(each.isprintable() and each not in " \ufffd" for each in line)


def _first_words(text: str) -> frozenset[str]:
    return frozenset(line.split()[0] for line in text.splitlines() if line.strip())


def _not_running(seen: Seen) -> str:
    code = f", it ended with {seen.container.exit_code}" if seen.container.state == "exited" else ""
    return f"{seen.container.name} does not run: it is {seen.container.state}{code}"


_LOOKS: Final[Mapping[CheckType, Look]] = {
    "http": _http,
    "tcp": _tcp,
    "command": _command,
    "logs": _logs,
    "migrations": _migrations,
}
