"""Siblings under every name that Dockerfiles have for them, in one bake run of the real engine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hullwright.build import emulation
from hullwright.config.models import Service
from hullwright.images import Platform

if TYPE_CHECKING:
    from .conftest import Shop

pytestmark = pytest.mark.docker


def test_buildkit_takes_a_sibling_by_each_of_its_names(shop: Shop) -> None:
    (shop.root / "made-here").write_text(shop.project, encoding="utf-8")
    shop.service("FROM scratch AS tool\nCOPY made-here /tool\nFROM scratch\nCOPY made-here /\n")
    # No registry has this image, so a build that ends well took it from its sibling.
    name = f"{shop.project}/api"
    froms = (name, f"{name}:latest", f"docker.io/{name}", f"docker.io/{name}:2", f"{name}:2-tool")
    for number, image in enumerate(froms):
        shop.service(f"FROM {image}\nCOPY made-here /copy\n", Service(f"from{number}"))
    look = f'test "$(cat /mnt/made-here)" = {shop.project}'
    shop.service(f"FROM scratch\nCOPY --from={name}:3 /made-here /x\n", Service("copied"))
    shop.service(f"FROM BASE\nRUN --mount=from={name},target=/mnt {look}\n", Service("mounted"))
    shop.service("FROM BASE\nRUN --mount=from=fund,target=/mnt " + look, Service("named"))
    contexts = {"fund": f"docker-image://{name}"}
    shop.services["named"] = replace(shop.services["named"], contexts=contexts)
    # A platform beside the builder's own, as no step of it has to run.
    shop.service(
        f"FROM --platform=$BUILDPLATFORM {name} AS here\nFROM {name}\n"
        "COPY --from=here /made-here /here\n",
        Service("crossed"),
    )
    foreign = "amd64" if emulation.host() == "linux/arm64" else "arm64"
    crossed = replace(shop.services["crossed"], platforms=(Platform("linux", foreign),))
    shop.services["crossed"] = crossed
    report = shop.build()
    assert {target.service: target.status for target in report.targets} == dict.fromkeys(
        shop.services, "built"
    )
    assert report.runs == 1
    both = {(target.service, target.target): target.platforms for target in report.targets}
    assert set(both["api", ""]) == {f"linux/{foreign}", emulation.host()}
