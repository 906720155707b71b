"""Which images a start takes from the build, before any of them is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.stack import handing
from hullwright.stack.override import Override
from hullwright.stack.pins import built_by, made_by
from hullwright.stack.plan import with_profiles_of_named
from hullwright.stack.selection import resolved

if TYPE_CHECKING:
    from hullwright.stack.selection import Selection
    from hullwright.workspace import Workspace


def wanted_images(ws: Workspace, selection: Selection) -> tuple[tuple[str, str], ...]:
    """Return (service, target) of each image that a selection runs and the configuration builds.

    The target is empty for the service's default one.

    Raises:
        UsageError: variables have no value, a file or a service is missing.
    """
    selection, written = handing.checked(ws, selection)
    selection = with_profiles_of_named(selection, written)
    override = Override()
    handing.given_env_files(ws, selection, written, override)
    model = resolved(ws, selection, override)
    found: dict[tuple[str, str], None] = {}
    for name in model.closure(selection.services):
        maker = made_by(model, model.services[name])
        builder = built_by(ws.config, ws.root, maker)
        if builder is not None:
            asked = maker.build.target if maker.build else ""
            found[builder.name, "" if asked == builder.default_target else asked] = None
    return tuple(found)
