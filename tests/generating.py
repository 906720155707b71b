"""The image that lists packages for SBOMs: the stand-in that this repository has a recipe for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from hullwright import bases
from hullwright.config.models import Build, Config
from hullwright.run import cache_dir
from hullwright.tools.attestations import DEFAULT_GENERATOR
from repositories import workspace
from sources import ROOT
from spreading import one_at_a_time

# One package that is installed, and one that only left its settings behind.
STATUS: Final = (
    "Package: tiny\nStatus: install ok installed\nArchitecture: all\nVersion: 1.2-3\n\n"
    "Package: gone\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 9\n"
)


def generator() -> str:
    """Return the name of BuildKit's default generator, made where it is missing (30 s, once)."""
    environ = dict(os.environ)
    wanted = Config("tests", build=Build(attestations=("sbom",)))
    with one_at_a_time(Path(cache_dir(environ)) / "generator.lock"):
        bases.prepare(workspace(ROOT, environ, wanted), stand_ins=True)
    return DEFAULT_GENERATOR
