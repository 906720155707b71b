"""Enter a stack: a command or a shell in a service, in a stage, or beside a service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hullwright.errors import CheckFailedError
from hullwright.images import Reference
from hullwright.stack.looking import running
from hullwright.stack.words import invoked
from hullwright.tools import engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hullwright.stack.selection import Selection
    from hullwright.tools.engine import Container
    from hullwright.workspace import Workspace

_SHELLS: Final = ("bash", "sh", "/bin/sh", "/busybox/sh")
# Images that have a shell, small ones first; any of them in the local store will do.
_HELPERS: Final = ("busybox", "alpine", "debian", "ubuntu", "python", "postgres", "golang", "rust")


def exec_(
    ws: Workspace, selection: Selection, service: str, words: Sequence[str], *, user: str = ""
) -> int:
    """Run a command in a service's container and return its exit code.

    Raises:
        UsageError: the service has no container.
        CheckFailedError: its container does not run.
    """
    container = _running(ws, selection, service)
    as_user = ["--user", user] if user else []
    return ws.runner.attach("docker", "exec", *_terminal(ws), *as_user, container.id, *words)


def shell(
    ws: Workspace, selection: Selection, service: str, *, helper_image: str = "", user: str = ""
) -> int:
    """Open a shell in a service's container, and return its exit code.

    Where its image has none, a helper container shares the service's processes and network, and
    begins in the service's file system (`/proc/1/root`).

    Raises:
        CheckFailedError: the container does not run, or no image with a shell is there to help.
    """
    container = _running(ws, selection, service)
    found = _shell_of(ws, container)
    if found is not None:
        return exec_(ws, selection, service, [found], user=user)
    image = helper_image or helper(engine.local_tags(ws.runner))
    if not image:
        raise CheckFailedError(
            f"{service} has no shell, and no local image with one is there to help",
            why=[("looked for", f"{', '.join(_SHELLS)} in {container.image}")],
            next_step="name an image that has a shell: --helper IMAGE",
        )
    ws.console.note(f"{container.image} has no shell: {image} shares its processes and network")
    return ws.runner.attach(*helper_argv(container.id, image, _terminal(ws)))


def shell_of_image(ws: Workspace, reference: str, *, words: Sequence[str] = ()) -> int:
    """Open a shell in a new container of an image, such as a build stage, and return its exit code.

    Raises:
        CheckFailedError: the image is not in the local store.
    """
    if engine.image(ws.runner, reference) is None:
        raise CheckFailedError(
            f"{reference} is not in the local store", next_step="invoke build --target STAGE"
        )
    program, *rest = words or ("sh",)
    return ws.runner.attach(
        "docker", "run", "--rm", "--pull", "never", "--label", f"{engine.KIND}=shell",
        *_terminal(ws), "--entrypoint", program, reference, *rest,
    )  # fmt: skip


def helper(tags: Iterable[str]) -> str:
    """Return the local image that is best for a shell beside a service, or nothing."""
    by_rank: dict[int, str] = {}
    for tag in tags:
        name = Reference.parse(tag).repository.rpartition("/")[2]
        if name in _HELPERS:
            by_rank.setdefault(_HELPERS.index(name), tag)
    return by_rank[min(by_rank)] if by_rank else ""


def helper_argv(container: str, image: str, terminal: Sequence[str]) -> list[str]:
    """Return the command of a shell beside a container, which sees its processes and files."""
    return [
        "docker", "run", "--rm", "--pull", "never", "--label", f"{engine.KIND}=shell", *terminal,
        "--pid", f"container:{container}", "--network", f"container:{container}",
        # /proc/1/root is another user's process: looking into it is a debugger's right.
        "--user", "0:0", "--cap-add", "SYS_PTRACE",
        "--entrypoint", "sh", image, "-c", "cd /proc/1/root && exec sh",
    ]  # fmt: skip


def _terminal(ws: Workspace) -> list[str]:
    return ["--interactive", "--tty"] if ws.console.interactive else ["--interactive"]


def _running(ws: Workspace, selection: Selection, service: str) -> Container:
    container = running(ws, selection, service)
    if container.state != "running":
        stack = selection.stack.name
        look = invoked(f"logs --service {service}", stack)
        raise CheckFailedError(
            f"{service} does not run: it is {container.state}",
            why=[("exit code", str(container.exit_code))],
            next_step=f"{look}, then: {invoked('up', stack)}",
        )
    return container


def _shell_of(ws: Workspace, container: Container) -> str | None:
    for candidate in _SHELLS:
        # Asking a shell to do nothing changes nothing: this is looking, also in a dry run.
        answer = ws.runner.read(
            "docker", "exec", container.id, candidate, "-c", "exit 0", check=False
        )
        if answer.ok:
            return candidate
    return None
