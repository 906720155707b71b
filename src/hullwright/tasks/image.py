"""Tasks of images: build, images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tasks.define import FORMATS, task

if TYPE_CHECKING:
    from hullwright.tasks.session import Session


@task(
    aliases=("docker-build",),
    lists=("service", "platform", "allow"),
    repeated=("build_arg", "set", "output", "allow_arg"),
    operands="service",
    flags={
        "service": "only these services, a,b or repeated; default all",
        "target": "stage to build; default production, else the last configured one",
        "platform": "platforms to build for; default the configuration's, else this machine's",
        "failed": "only what failed or did not run when it was built last",
        "changed-since": "only what changed since this ref of Git, such as origin/main",
        "force": "build also what is current",
        "why": "say for each image why it is built, or is not",
        "jobs": "a number of builds in flight; default the configuration's, else BuildKit's",
        "fail-fast": "stop at the first build that fails",
        "no-cache": "run every step again",
        "pull": "look for newer base images first; what images.lock pins stays",
        "locked": "fail where images.lock does not fit the Dockerfiles; default on CI",
        "reproducible": "the same bytes whenever and wherever: times of the commit, no provenance",
        "verify-reproducible": "build twice without cache, and compare; nothing is kept",
        "builder": "build on this builder of the configuration; `default` is the engine's own",
        "load": "bring what a builder elsewhere made to the local store, too",
        "output": "an exporter in place of the local store, such as type=oci,dest=x.tar",
        "check": "only check the Dockerfiles, by BuildKit's own rules",
        "build-arg": "an argument K=V for every Dockerfile; may be repeated",
        "set": "an override as bake takes it, such as *.cache-from=type=local,src=d; repeatable",
        "allow": "entitlements for bake, such as network.host",
        "allow-arg": "a build argument whose name looks like a secret's, and is none; repeatable",
        "timeline": "draw the build into this HTML file",
        "print": "print the bake definition and build nothing",
        "format": FORMATS,
    },
)
def build(
    session: Session,
    service: list[str] | None = None,
    target: str = "",
    platform: list[str] | None = None,
    failed: bool = False,
    changed_since: str = "",
    force: bool = False,
    why: bool = False,
    jobs: str = "0",
    fail_fast: bool = False,
    no_cache: bool = False,
    pull: bool = False,
    locked: bool = False,
    reproducible: bool = False,
    verify_reproducible: bool = False,
    builder: str = "",
    load: bool = False,
    output: list[str] | None = None,
    check: bool = False,
    build_arg: list[str] | None = None,
    set: list[str] | None = None,
    allow: list[str] | None = None,
    allow_arg: list[str] | None = None,
    timeline: str = "",
    print: bool = False,
    format: str = "text",
) -> None:
    """Build images that are not current, named by Git's version, and record them."""
    from hullwright.build import BuildRequest
    from hullwright.tasks.building import Options, arguments_of, run_build
    from hullwright.tasks.figures import figure

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
        outputs=tuple(output or ()),
        jobs=figure("jobs", jobs, "builds"),
        fail_fast=fail_fast,
        force=force,
        allow_args=tuple(allow_arg or ()),
        reproducible=reproducible,
        builder=builder,
        load=load,
    )
    options = Options(format, print, check, failed, changed_since, why, timeline)
    if verify_reproducible:
        from hullwright.tasks.verifying import run_verification

        return run_verification(session, request, options)
    return run_build(session, request, options)


@task(
    lists=("service", "platform", "update"),
    operands="service",
    flags={
        "service": "only what these services and the stacks need; default all services",
        "prepare": "make every image present: local store, then a registry or the mirror",
        "stand-ins": "with --prepare: build what no registry can be reached for from its recipe",
        "platform": "platforms that they are needed for; default the configuration's",
        "lock": "write images.lock: the digests that builds take for base images",
        "update": "with the lock: take what these images are now; a name or a pattern",
        "outdated": "say what moved since it was locked, and since when",
        "attestations": "list what is attached to this image: provenance, SBOM, signatures",
        "format": FORMATS,
    },
)
def images(
    session: Session,
    service: list[str] | None = None,
    prepare: bool = False,
    stand_ins: bool = False,
    platform: list[str] | None = None,
    lock: bool = False,
    update: list[str] | None = None,
    outdated: bool = False,
    attestations: str = "",
    format: str = "text",
) -> None:
    """List every image that Dockerfiles and compose files name; with --prepare, get them."""
    from hullwright import bases
    from hullwright.errors import UsageError
    from hullwright.report import images as report
    from hullwright.tasks.locking import Options, run_locking

    others = _given(prepare=prepare, stand_ins=stand_ins, platform=platform, service=service)
    options = Options(lock, tuple(update or ()), outdated)
    if attestations:
        _show_attached(session, attestations, format, other=bool(options.asked or others))
        return
    if options.asked:
        run_locking(session, options, format, others=others)
        return
    if stand_ins and not prepare:
        raise UsageError(
            "--stand-ins says how images are made, and none are made here",
            next_step="invoke images --prepare --stand-ins",
        )
    ws, wanted, services = session.workspace, tuple(platform or ()), tuple(service or ())
    if not prepare:
        session.show(report, bases.listing(ws, platforms=wanted, services=services), format)
    elif session.dry:
        planned = bases.plan(ws, stand_ins=stand_ins, platforms=wanted, services=services)
        session.show(report, planned, format)
    else:
        done = bases.prepare(ws, stand_ins=stand_ins, platforms=wanted, services=services)
        session.show(report, done, format)


def _given(**flags: object) -> list[str]:
    return [f"--{name.replace('_', '-')}" for name, value in flags.items() if value]


def _show_attached(session: Session, reference: str, output_format: str, *, other: bool) -> None:
    from hullwright.errors import UsageError
    from hullwright.push import attestations
    from hullwright.report import attestations as report

    if other:
        raise UsageError(
            "--attestations looks at one image, and the other flags are about base images",
            next_step=f"invoke images --attestations {reference}",
        )
    session.show(report, attestations.listing(session.workspace, reference), output_format)
