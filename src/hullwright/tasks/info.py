"""Tasks that tell of the repository and the machine: version, config, history, setup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tasks.define import FORMATS, task

if TYPE_CHECKING:
    from hullwright.tasks.session import Session


@task(
    formats=("env", "github", "gitlab", "ldflags"),
    flags={
        "service": "the service whose tags count, by its tag-prefix",
        "format": "text, json, markdown, env (for a shell), github, gitlab or ldflags (Go)",
        "package": "with --format ldflags: package of the variables version, commit and date",
        "unshallow": "fetch the history and tags that a shallow clone lacks",
        "verify": "prove that the image of --image says what Git says; exit 1 where it does not",
        "image": "with --verify: an image of the local store",
        "verbose": "also tell which tags were left out, and why",
    },
)
def version(
    session: Session,
    service: str = "",
    format: str = "text",
    package: str = "",
    unshallow: bool = False,
    verify: bool = False,
    image: str = "",
    verbose: bool = False,
) -> None:
    """Show the version that Git gives to what is here, or hold an image against it."""
    from hullwright.tasks.versioning import show_version, verify_image
    from hullwright.version import repair

    session.console.verbose |= verbose
    if unshallow and repair(session.workspace) and session.dry:
        session.console.note("dry run: the version is known once the clone is whole")
        return
    if verify or image:
        verify_image(session, service, image, format, asked=verify)
    else:
        show_version(session, service, format, package)


@task(flags={"format": FORMATS})
def config(session: Session, format: str = "text") -> None:
    """Show the resolved configuration, and where each value came from."""
    from hullwright.config.load import resolve
    from hullwright.config.problems import ConfigurationError
    from hullwright.report import config as report

    resolution = resolve(session.root, session.environ)
    # What is understood is shown also where something is wrong: it helps to mend the rest.
    session.show(report, resolution.config, format)
    if resolution.problems:
        raise ConfigurationError(resolution.problems)


@task(
    flags={
        "kind": "only records of this kind, such as build or cold-start",
        "limit": "a number: how many of the newest",
        "figures": "each service's build time, cache hits, size, start-up time, memory and CPU",
        "service": "with --figures: only these services",
        "format": FORMATS,
    },
    lists=("service",),
)
def history(
    session: Session,
    kind: str | None = None,
    limit: str = "20",
    figures: bool = False,
    service: list[str] | None = None,
    format: str = "text",
) -> None:
    """Show the newest records of builds, starts and measurements."""
    from hullwright.errors import UsageError
    from hullwright.history import listing, watched
    from hullwright.report import history as report
    from hullwright.report import watched as watched_report
    from hullwright.tasks.figures import figure

    newest = figure("limit", limit, "runs")
    if not newest:
        raise UsageError(f"--limit {limit} is no number of runs", next_step="1 or more")
    if service and not figures:
        raise UsageError("--service tells whose figures are shown", next_step="add --figures")
    if figures:
        if kind:
            raise UsageError(
                "--figures takes what builds and cold starts left", next_step="leave out --kind"
            )
        session.show(watched_report, watched(session.workspace, newest, service or ()), format)
        return
    session.show(report, listing(session.workspace, kind=kind, limit=newest), format)


@task(flags={"install": "the consent to change the system: packages, sources, a daemon"})
def setup(session: Session, install: bool = False) -> None:
    """Say what this machine lacks for the other tasks; with --install, install it."""
    from invoke.exceptions import Exit

    from hullwright.provision.__main__ import main

    consent = install and not session.dry
    code = main(["--install"] if consent else [], session.environ, session.root)
    if code and not session.dry:
        raise Exit(code=code)
