"""Images that only Compose builds: of inline Dockerfiles and remote contexts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.errors import CheckFailedError

if TYPE_CHECKING:
    from hullwright.stack.selection import Selection
    from hullwright.workspace import Workspace


def build(ws: Workspace, selection: Selection, services: tuple[str, ...]) -> None:
    """Let Compose build the images of services that no build of ours knows.

    Raises:
        CheckFailedError: one cannot be built; the last of what was told is given.
    """
    if not services:
        return
    argv = selection.call.build(services)
    with ws.console.step(f"build {', '.join(services)}"):
        answer = ws.runner.run(*argv, cwd=ws.root, env=selection.environment, check=False)
    if not answer.ok:
        raise CheckFailedError(
            f"Compose cannot build {', '.join(services)}",
            why="\n".join(line for line in answer.tail(10) if "level=warning" not in line),
            next_step="correct the build section of the compose file",
        )
