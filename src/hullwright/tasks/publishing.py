"""The task that pushes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tasks.define import FORMATS, task

if TYPE_CHECKING:
    from hullwright.tasks.session import Session


@task(
    aliases=("docker-push",),
    lists=("service", "platform", "allow"),
    repeated=("build_arg", "set", "allow_arg"),
    operands="service",
    flags={
        "service": "only these services, a,b or repeated; default all",
        "target": "stage to push; default production, else the last configured one",
        "platform": "platforms to build for; default the configuration's, else this machine's",
        "ref": "the ref whose tags the images get, where the commit has several: a tag or a branch",
        "part": "one runner's share: push --platform of each image, or all of it, without any tag",
        "join": "build nothing: join the parts that runners pushed, and give them the tags",
        "failed": "go on after a push that failed: what it sent is taken as it is",
        "force": "build also what is current",
        "no-cache": "run every step again",
        "pull": "look for newer base images first; what images.lock pins stays",
        "locked": "fail where images.lock does not fit the Dockerfiles; default on CI",
        "builder": "build on this builder of the configuration; `default` is the engine's own",
        "jobs": "a number of builds in flight; default the configuration's, else BuildKit's",
        "fail-fast": "stop at the first build that fails",
        "build-arg": "an argument K=V for every Dockerfile; may be repeated",
        "set": "an override as bake takes it, such as *.cache-from=type=local,src=d; repeatable",
        "allow": "entitlements for bake, such as network.host",
        "allow-arg": "a build argument whose name looks like a secret's, and is none; repeatable",
        "allow-stand-ins": "push images that are made on stand-ins of their bases, too",
        "all-tags": "give each image also the other tags that it has in the local store",
        "release-file": "write version, digests and a compose override to this file",
        "why": "say for each image why it is built, or is not",
        "timeline": "draw the build into this HTML file",
        "format": FORMATS,
    },
)
def push(
    session: Session,
    service: list[str] | None = None,
    target: str = "",
    platform: list[str] | None = None,
    ref: str = "",
    part: bool = False,
    join: bool = False,
    failed: bool = False,
    force: bool = False,
    no_cache: bool = False,
    pull: bool = False,
    locked: bool = False,
    builder: str = "",
    jobs: str = "0",
    fail_fast: bool = False,
    build_arg: list[str] | None = None,
    set: list[str] | None = None,
    allow: list[str] | None = None,
    allow_arg: list[str] | None = None,
    allow_stand_ins: bool = False,
    all_tags: bool = False,
    release_file: str = "",
    why: bool = False,
    timeline: str = "",
    format: str = "text",
) -> None:
    """Build what is not current, push all of it, and give it its tags: all of them, or none."""
    from hullwright.build import BuildRequest
    from hullwright.tasks.building import arguments_of
    from hullwright.tasks.figures import figure
    from hullwright.tasks.pushing import run_push
    from hullwright.tasks.pushoptions import Options, meant

    request = BuildRequest(
        services=tuple(service or ()),
        target=target,
        platforms=tuple(platform or ()),
        no_cache=no_cache,
        pull=pull,
        locked=locked or None,
        build_args=arguments_of(build_arg or []),
        set_=tuple(set or ()),
        allow=tuple(allow or ()),
        builder=builder,
        jobs=figure("jobs", jobs, "builds"),
        fail_fast=fail_fast,
        force=force,
        allow_args=tuple(allow_arg or ()),
    )
    options = Options(ref, allow_stand_ins, all_tags, release_file, why, timeline)
    request, options = meant(request, options, part=part, join=join, failed=failed)
    run_push(session, request, options, format)
