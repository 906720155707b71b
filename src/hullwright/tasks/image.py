"""Tasks of images: build, sizes, images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tasks.define import FORMATS, task

if TYPE_CHECKING:
    from hullwright.tasks.session import Session


@task(
    aliases=("docker-build",),
    lists=("service", "platform", "allow"),
    repeated=("build_arg", "set"),
    operands="service",
    flags={
        "service": "only these services; default all",
        "target": "stage to build; default production, else the last configured one",
        "platform": "platforms to build for; default the configuration's, else this machine's",
        "no-cache": "run every step again",
        "pull": "look for newer base images first",
        "build-arg": "an argument K=V for every Dockerfile; may be repeated",
        "set": "an override as bake takes it, such as *.cache-from=type=local,src=d; repeatable",
        "allow": "entitlements for bake, such as network.host",
        "print": "print the bake definition and build nothing",
        "format": FORMATS,
    },
)
def build(
    session: Session,
    service: list[str] | None = None,
    target: str = "",
    platform: list[str] | None = None,
    no_cache: bool = False,
    pull: bool = False,
    build_arg: list[str] | None = None,
    set: list[str] | None = None,  # noqa: A002  bake's own name for it
    allow: list[str] | None = None,
    print: bool = False,  # noqa: A002  bake's own name for it
    format: str = "text",  # noqa: A002
) -> None:
    """Build images of services in one bake run, named by Git's version, and record them."""
    from hullwright.build import BuildRequest
    from hullwright.tasks.building import arguments_of, run_build

    request = BuildRequest(
        services=tuple(service or ()),
        target=target,
        platforms=tuple(platform or ()),
        no_cache=no_cache,
        pull=pull,
        build_args=arguments_of(build_arg or []),
        set_=tuple(set or ()),
        allow=tuple(allow or ()),
    )
    run_build(session, request, format, print_only=print)
