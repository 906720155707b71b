"""The jobs that runners of CI share a build in: a row for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hullwright.images import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullwright.build.models import PlannedTarget

Split = Literal["", "service", "platform"]


@dataclass(frozen=True, slots=True)
class Row:
    """One job.

    Attributes:
        services: what it builds.
        target: their stage; empty for the default one of each.
        platform: that it builds them for; empty for all of theirs.
    """

    services: tuple[str, ...]
    target: str
    platform: str

    @property
    def service(self) -> str:
        """The services as `--service` takes them."""
        return ",".join(self.services)

    @property
    def arch(self) -> str:
        """The architecture, by which runners are often chosen; empty for all platforms."""
        return Platform.parse(self.platform).arch if self.platform else ""

    @property
    def name(self) -> str:
        """What people tell jobs apart by."""
        who = self.service if len(self.services) == 1 else f"{len(self.services)} services"
        return " ".join(word for word in (who, self.target, self.platform) if word)


def rows(targets: Iterable[PlannedTarget], split: Split = "", target: str = "") -> tuple[Row, ...]:
    """Return the jobs that build these images, in the order of the plan.

    Args:
        targets: of a plan; those that are only needed by others are built beside them.
        split: `service` for one job of each image with all of its platforms, `platform` for one
            of each platform with all images; empty for one of each image and platform.
        target: the stage that was asked for, which jobs of several images are told.
    """
    asked = [planned for planned in targets if planned.asked]
    if split == "service":
        return tuple(Row((each.service,), each.target, "") for each in asked)
    if split == "platform":
        return tuple(_by_platform(asked, target))
    return tuple(
        Row((each.service,), each.target, platform)
        for each in asked
        for platform in each.platforms or ("",)
    )


def _by_platform(asked: Iterable[PlannedTarget], target: str) -> Iterator[Row]:
    found: dict[str, list[str]] = {}
    for each in asked:
        for platform in each.platforms or ("",):
            found.setdefault(platform, []).append(each.service)
    for platform, services in found.items():
        yield Row(tuple(services), target, platform)
