"""The task of CI's matrix, in the group `ci`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tasks.define import task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.build import BuildPlan, BuildRequest
    from hullwright.build.matrix import Row, Split
    from hullwright.tasks.session import Session


@task(
    lists=("service", "platform"),
    formats=("github", "gitlab"),
    operands="service",
    flags={
        "service": "only these services, a,b or repeated; default all",
        "target": "stage to build; default production, else the last configured one",
        "platform": "only these of the configured platforms",
        "changed-since": "only what changed since this ref of Git, such as origin/main",
        "missing": "only what the registry has not: what `push --part` would build",
        "split": "jobs by `service` or by `platform` alone; default by both",
        "format": "text, json, markdown, github (for $GITHUB_OUTPUT) or gitlab (a child pipeline)",
    },
)
def matrix(
    session: Session,
    service: list[str] | None = None,
    target: str = "",
    platform: list[str] | None = None,
    changed_since: str = "",
    missing: bool = False,
    split: str = "",
    format: str = "text",
) -> None:
    """Show the jobs in which several runners of CI build and push: services by platforms."""
    from dataclasses import replace

    from hullwright import push
    from hullwright.build import BuildRequest
    from hullwright.report import matrix as report
    from hullwright.tasks.building import only_changed, planned

    chosen = _split(split)
    if missing:
        # Without one, everything would look as if it were missing.
        push.require_registry(session.config)
    request = BuildRequest(services=tuple(service or ()), target=target)
    plan = planned(session, request, push=True)
    own = _platforms(plan, platform or ())
    if changed_since:
        request = only_changed(session, request, plan, changed_since)
        plan = planned(session, request, push=True) if request.only else replace(plan, targets=())
    rows = _rows(session, request, plan, chosen, missing=missing)
    if own:
        rows = tuple(row for row in rows if row.platform in own or not row.platform)
    if format in {"github", "gitlab"}:
        session.console.result(getattr(report, format)(rows), coloured=False)
    else:
        session.show(report, rows, format)


def _rows(
    session: Session, request: BuildRequest, plan: BuildPlan, split: Split, *, missing: bool
) -> tuple[Row, ...]:
    """Return the jobs of a plan, or those of them for which the registry has nothing yet."""
    from dataclasses import replace

    from hullwright import build
    from hullwright.build.matrix import rows
    from hullwright.tasks.building import tags_by_repository
    from hullwright.tasks.sharelooks import decided_parts, key_of, whole_lookup

    if not missing or not plan.targets:
        return rows(plan.targets, split, request.target)
    _require_answers(session, plan)
    look = whole_lookup(session, plan, tags_by_repository(session, plan))
    workspace = session.workspace
    whole = build.decide(workspace, plan, request, look, push=True, there="registry")
    left = [t for t in whole.targets if t.asked and t.decision.action == "build"]
    if split == "service":
        return rows(left, split, request.target)
    lacking: dict[tuple[str, str], list[str]] = {key_of(t): [] for t in left}
    for platform in dict.fromkeys(name for target in left for name in target.platforms):
        mine = {key_of(t) for t in left if platform in t.platforms}
        for target in decided_parts(session, request, whole, platform, mine).targets:
            if target.asked and target.decision.action == "build":
                lacking[key_of(target)].append(platform)
    needed = [
        replace(t, platforms=tuple(lacking[key_of(t)]))
        for t in left
        if lacking[key_of(t)] or not t.platforms
    ]
    return rows(needed, split, request.target)


def _require_answers(session: Session, plan: BuildPlan) -> None:
    """Ask each registry once, for of a silent one everything would look as if it were missing.

    Raises:
        UnavailableError: one cannot be reached, or refuses.
    """
    from hullwright.images import Reference
    from hullwright.tools.registryclient import connect

    paths = {r.domain: r.path for r in (Reference.parse(t.reference) for t in plan.targets)}
    for domain, path in paths.items():
        connect(session.workspace, domain).describe(path, "latest")


def _platforms(plan: BuildPlan, typed: Sequence[str]) -> frozenset[str]:
    """Return platforms as they are usually written, all of which something is built for."""
    from hullwright.errors import unknown
    from hullwright.images import Platform

    known = {platform for target in plan.targets for platform in target.platforms}
    own = [f"{Platform.parse(name)}" for name in typed]
    for name in own:
        # A typing mistake must not look as if nothing had changed.
        if name not in known:
            raise unknown("platform", name, known)
    return frozenset(own)


def _split(given: str) -> Split:
    from hullwright.errors import unknown

    match given:
        case "" | "service" | "platform":
            return given
        case _:
            raise unknown("split", given, ("service", "platform"))
