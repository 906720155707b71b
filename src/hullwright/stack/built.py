"""Which images of ours the services of a stack run, told from its files alone.

Without Compose and without values: a release is made where no secret of a server is known.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hullwright.config.composefile import read_builds, read_files, read_images
from hullwright.stack.pins import built_by, made_by
from hullwright.tools.compose import Build, ComposeService, Model

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.config.models import Stack
    from hullwright.workspace import Workspace


def built_services(ws: Workspace, stack: Stack) -> dict[str, tuple[str, str]]:
    """Return service and target of the image that each compose service runs, where it is ours.

    Raises:
        ConfigurationError: a file is missing or is not YAML.
    """
    model = _model(ws, stack)
    found: dict[str, tuple[str, str]] = {}
    for name, service in model.services.items():
        maker = made_by(model, service)
        builder = built_by(ws.config, ws.root, maker) or built_by(
            ws.config, ws.root, _in_registry(ws, maker)
        )
        if builder is not None:
            asked = maker.build.target if maker.build else ""
            found[name] = (builder.name, asked or builder.default_target)
    return found


def files_of(ws: Workspace, stack: Stack) -> tuple[Path, ...]:
    """Return the files that a stack is made of, those included or extended among them.

    Variables in their names have their defaults, so that it is the same on every machine.

    Raises:
        ConfigurationError: a file is missing or is not YAML.
    """
    return read_files(ws.root, stack.files, {})


def _model(ws: Workspace, stack: Stack) -> Model:
    builds = {
        build.service: Build(f"{build.context}", f"{build.dockerfile}", build.target)
        for build in read_builds(ws.root, stack.files, ws.environ)
    }
    services = {
        # A tag that is a variable without a value leaves its colon behind.
        one.service: ComposeService(one.service, one.image.rstrip(":"), builds.get(one.service))
        for one in read_images(ws.root, stack.files, ws.environ)
    }
    return Model("", services, {})


def _in_registry(ws: Workspace, service: ComposeService) -> ComposeService:
    """Return a service whose image is in our registry: `${REGISTRY}/api` without that variable."""
    registry = ws.config.registry
    return replace(service, image=f"{registry}/{service.image.lstrip('/')}" if registry else "")
