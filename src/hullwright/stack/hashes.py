"""The hash by which Compose knows that a service's configuration is what its container has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from hullwright.secret import Secret
from hullwright.stack.selection import answer
from hullwright.stack.variables import project_folder
from hullwright.tools import compose

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hullwright.stack.selection import Selection
    from hullwright.tools.compose import Model
    from hullwright.tools.engine import Container
    from hullwright.workspace import Workspace

_NAMESPACES: Final = ("network_mode", "ipc", "pid")


def hashes_of(
    ws: Workspace,
    selection: Selection,
    model: Model,
    there: Mapping[str, Sequence[Container]],
) -> dict[str, str]:
    """Return the hash that each service's container has if it is what the model says.

    Asked for the hashes of files, Compose leaves env files unread and names of services as they
    are. When it starts a container, both are resolved; so it is asked for those of such a model.
    One that mounts what another service has is left out: no model can name that container.
    """
    services = model.raw["services"]
    raw = {**model.raw, "services": {n: _referring(each, there) for n, each in services.items()}}
    text = json.dumps(raw)
    # All values are in it, so `--echo` shows nothing of it.
    ws.runner.secrets.add(Secret(text))
    call = compose.Invocation(("-",), project=model.name, profiles=("*",), dotenv=False)
    argv = call.hashes()
    argv[2:2] = ["--project-directory", str(project_folder(ws, selection))]
    found = compose.parse_hashes(answer(ws, selection, argv, stdin=text))
    return {name: each for name, each in found.items() if not services[name].get("volumes_from")}


def _referring(
    service: Mapping[str, Any], there: Mapping[str, Sequence[Container]]
) -> dict[str, Any]:
    """Return a service that names the containers of other services in place of those services."""
    # It is no part of the hash, and may name a service whose profile is off.
    changed = {key: value for key, value in service.items() if key != "depends_on"}
    for key in _NAMESPACES:
        kind, _, other = str(service.get(key) or "").partition(":")
        if kind == "service" and there.get(other):
            changed[key] = f"container:{there[other][0].id}"
    return changed
