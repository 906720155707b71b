"""What the containers of a stack were given earlier, so that output can leave it out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hullwright.secret import Secret
from hullwright.stack.looking import project_name
from hullwright.tools import secretfolder
from hullwright.tools.compose import PROJECT_LABEL

if TYPE_CHECKING:
    from collections.abc import Collection

    from hullwright.stack.selection import Selection
    from hullwright.workspace import Workspace


def mask_handed_over(ws: Workspace, selection: Selection, keys: Collection[str]) -> None:
    """Let output show nothing that was handed over to what runs of a stack; no key is needed.

    Args:
        ws: the repository.
        selection: the stack.
        keys: names of variables whose values are secrets.
    """
    project = project_name(ws, selection)
    ws.runner.secrets.update(secretfolder.contents(ws.environ, project))
    if not keys:
        return
    label = f"label={PROJECT_LABEL}={project}"
    listing = ("docker", "ps", "--all", "--quiet", "--no-trunc", "--filter", label)
    ids = ws.runner.read(*listing, check=False).stdout.split()
    if not ids:
        return
    form = "{{json .Config.Env}}"
    inspection = ("docker", "container", "inspect", "--format", form, *ids)
    # One of them may be gone by now; the others are told all the same.
    for line in ws.runner.read(*inspection, check=False).stdout.splitlines():
        for entry in json.loads(line) or ():
            name, _, value = entry.partition("=")
            if name in keys:
                ws.runner.secrets.add(Secret(value))
