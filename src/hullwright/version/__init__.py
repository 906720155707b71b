"""The version of a repository, from Git and nothing else."""

from hullwright.version.model import Version, build_arguments
from hullwright.version.observe import describe, describe_at, describe_services, repair
from hullwright.version.source import source
from hullwright.version.standing import Standing, standing

__all__ = [
    "Standing",
    "Version",
    "build_arguments",
    "describe",
    "describe_at",
    "describe_services",
    "repair",
    "source",
    "standing",
]
