"""Executes a plan: fetches what only the registry has, builds the rest, and records all of it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from hullwright.build.emulation import refuse_missing
from hullwright.build.fetching import fetched
from hullwright.build.ignoring import write
from hullwright.build.lastrun import remember
from hullwright.build.localtags import give_names
from hullwright.build.models import secret_variable
from hullwright.build.outcome import BuildReport
from hullwright.build.outputs import places
from hullwright.build.parts import Joiner, expanded
from hullwright.build.results import Judge
from hullwright.build.running import Baker, definition_file
from hullwright.build.scheduling import Schedule
from hullwright.build.settling import settled
from hullwright.build.telling import Teller
from hullwright.build.timeline import RecordedRun
from hullwright.errors import UsageError
from hullwright.files import lock, make_folder, write_atomic
from hullwright.recorded import RecordedImage, load, save
from hullwright.tools.builders import Builder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hullwright.build.models import BuildPlan
    from hullwright.build.outcome import TargetResult
    from hullwright.secret import Secret
    from hullwright.workspace import Workspace

NO_SECRETS: Final = MappingProxyType[str, "Secret"]({})


def execute(
    ws: Workspace, plan: BuildPlan, secrets: Mapping[str, Secret] = NO_SECRETS
) -> BuildReport:
    """Build what is planned, record each image that is there then, and say what became of all.

    A target that fails is in the report, not an exception; so is Ctrl-C, after which what was
    built by then is recorded and the rest is skipped.

    Args:
        ws: the repository.
        plan: what is built.
        secrets: values of the secrets file; those that `plan.secret_keys` names reach bake by
            its environment, and the builds as BuildKit secrets.

    Raises:
        UsageError: a secret that a service needs is not among them.
        LockedError: another build of this repository is running.
        UnavailableError: there is no engine or no usable buildx, or a step runs code of a
            platform that the builder cannot run.
    """
    # What is current needs no emulator.
    _refuse_emulation(ws, plan)
    given = _secret_environment(plan, secrets)
    started_s = time.monotonic()
    with lock(ws.state_dir / "build.lock", f"the build of {ws.config.project}"):
        plan = fetched(ws, plan)
        before = load(ws)
        parted = expanded(plan)
        judge = Judge(ws, parted, {key: image.digest for key, image in before.items()})
        there = {t.name: judge.there(t) for t in plan.targets if t.decision.action != "build"}
        teller = Teller(ws.console, started_s)
        with settled(ws, parted) as baked:
            schedule = Schedule(Baker(ws, baked, given, teller), judge, there)
            try:
                if plan.building:
                    prepare(ws, plan)
                    _make_room(ws, baked)
                    write_atomic(definition_file(ws), baked.definition())
                    with schedule.baker.folded(), teller.ticking():
                        schedule.run()
            finally:
                # Also where the engine went away in between: what was built is there.
                results = Joiner(ws, plan).whole(schedule.settled)
                _record(ws, plan, before, results.values())
                give_names(ws, plan, results)
    return BuildReport(
        targets=tuple(results[planned.name] for planned in plan.targets),
        seconds=time.monotonic() - started_s,
        longest=judge.longest(schedule.rans),
        records=tuple(
            RecordedRun(
                tuple(ran.progress.targets), ran.progress.vertexes, judge.emulated_keys(ran)
            )
            for ran in sorted(schedule.rans, key=lambda ran: ran.started_s)
        ),
        interrupted=schedule.interrupted,
    )


def _refuse_emulation(ws: Workspace, plan: BuildPlan) -> None:
    """Refuse what those who build it cannot run."""
    if plan.place is None:
        refuse_missing(ws, (need for target in plan.building for need in target.runs))
        return
    for target in plan.building:
        for share in target.shares:
            elsewhere = set(target.platforms).difference(share.platforms)
            needs = [need for need in target.runs if need[0] not in elsewhere]
            node = share.node
            refuse_missing(ws, needs, Builder(node.endpoint, plan.place.driver, node.platforms))


def prepare(ws: Workspace, plan: BuildPlan) -> None:
    """Write the files that the plan's bake definition names besides those of the services."""
    write(ws, (file for target in plan.targets for file in target.generated))


def _make_room(ws: Workspace, plan: BuildPlan) -> None:
    """Make the folders of the files that `--output` names, which buildx wants to be there."""
    for target in plan.building:
        for place in places(target.bake.outputs, ws.root):
            make_folder(place.parent)


def _secret_environment(plan: BuildPlan, secrets: Mapping[str, Secret]) -> dict[str, Secret]:
    missing = [key for key in plan.secret_keys if key not in secrets]
    if missing:
        raise UsageError(
            f"a build needs secrets that are not there: {', '.join(missing)}",
            why="services.NAME.secrets names them as keys of the secrets file",
            next_step="add them to the secrets file, or correct the configuration",
        )
    return {secret_variable(key): secrets[key] for key in plan.secret_keys}


def _record(
    ws: Workspace,
    plan: BuildPlan,
    before: Mapping[tuple[str, str], RecordedImage],
    results: Iterable[TargetResult],
) -> None:
    """Keep what the local store holds now, the inputs that it was built from, and what failed."""
    told = list(results)
    stored = [_recorded(target) for target in told if target.stored]
    known = (before.get((image.service, image.target)) for image in stored)
    # Nothing is written where nothing changed, for writing waits for the disk.
    changed = [
        image
        for image, old in zip(stored, known, strict=True)
        if old is None or replace(old, at=image.at) != image
    ]
    if changed:
        save(ws, changed)
    if any(target.status == "built" for target in told):
        # Imported where something was built: a look at what is current does without it.
        from hullwright.build.kept import save_inputs

        save_inputs(ws, plan, told)
    remember(ws, told)


def _recorded(target: TargetResult) -> RecordedImage:
    return RecordedImage(
        service=target.service,
        target=target.target,
        reference=target.reference,
        digest=target.digest,
        version=target.version,
        revision=target.revision,
        platforms=target.platforms,
        at=datetime.now(UTC),
        fingerprint=target.fingerprint,
    )
