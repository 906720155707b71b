"""Observe and plan: how a stack is started as a throwaway that shares nothing with anybody."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hullwright.coldstart.isolate import Isolation, Surroundings, isolate, leaks
from hullwright.errors import HullwrightError, UsageError
from hullwright.stack import checks, handing, probing, secretfiles
from hullwright.stack import plan as stack_plan
from hullwright.stack.looking import project_name
from hullwright.stack.override import Override
from hullwright.stack.pins import composed, pins
from hullwright.stack.selection import resolved

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hullwright.stack import Selection, UpPlan
    from hullwright.tools.compose import Model, Probe
    from hullwright.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ColdPlan:
    """A cold start that may begin: nothing in it is shared with anybody.

    Attributes:
        up: the start, isolated.
        isolation: what was replaced for it.
        written_probes: health checks as the files have them, of services that are probed faster.
    """

    up: UpPlan
    isolation: Isolation
    fast_probes: bool = True
    written_probes: Mapping[str, Probe] = field(default_factory=dict)

    def text(self) -> str:
        """Return the plan in its stable text form."""
        lines = [self.up.text(), *(f"  note      {note}" for note in self.isolation.notes)]
        lines += [
            f"  check     {check.service}: {checks.expected_of(check)}"
            for check in checks.of_plan(self.up)
        ]
        return "\n".join([*lines, "  remove    all of it afterwards"])


def plan(
    ws: Workspace, selection: Selection, project: str, *, fast_probes: bool = True
) -> ColdPlan:
    """Return the isolated start of a selection; nothing is written or started.

    Raises:
        UsageError: it cannot be isolated, or variables are missing.
        CheckFailedError: an image was not built.
    """
    developers, selection = selection, selection.named(project)
    selection, written = handing.checked(ws, selection)
    checks.refuse_unknown(selection.stack, written["services"])
    selection = stack_plan.with_profiles_of_named(selection, written)
    base = Override()
    handing.given_env_files(ws, selection, written, base)
    model = resolved(ws, selection, base)
    services = model.closure(selection.services)
    model = _only(model, services)
    pinned = pins(ws, model, services)
    stack_plan.pin_into(base, pinned)
    made = _composed(ws, developers, model, services)
    for name, image in made.items():
        base.service(name).update(image=image, pull_policy="never")
    files = secretfiles.plan(ws, selection, model, services, base)
    around = _surroundings(ws, model)
    isolation = isolate(model, project, project, around, fast_probes=fast_probes, base=base)
    if isolation.refusals:
        raise _refused(selection, isolation)
    probes = _written_probes(model, around) if fast_probes else {}
    model = resolved(ws, selection, isolation.override)
    shared = leaks(_only(model, services), project)
    if shared:
        raise HullwrightError(
            "the throwaway project would not be isolated; nothing was started",
            why="\n".join(shared),
            next_step="report this with the stack's files: the override should have prevented it",
        )
    absent = stack_plan.missing_images(ws, model, services, made)
    operations = stack_plan.write_operations(files)
    operations += stack_plan.build_operations(absent.composed)
    operations += [
        stack_plan.Operation("pull", image, "not in the local store") for image in absent.fetched
    ]
    operations += [
        stack_plan.Operation("create", name, f"from nothing, {model.services[name].image}")
        for name in services
    ]
    start = stack_plan.UpPlan(
        selection,
        model,
        services,
        pinned,
        absent.fetched,
        tuple(operations),
        isolation.override,
        files,
        absent.composed,
    )
    return ColdPlan(start, isolation, fast_probes, probes)


def _composed(
    ws: Workspace, developers: Selection, model: Model, services: Sequence[str]
) -> dict[str, str]:
    """Return the images that only Compose builds: those of the developer's project, kept there."""
    if not composed(ws, model, services, ""):
        return {}
    return composed(ws, model, services, project_name(ws, developers))


def _only(model: Model, services: Sequence[str]) -> Model:
    """Return the model without what is not started, so that its faults do not count."""
    kept = {name: model.services[name] for name in services}
    mounted = {
        mount.get("source")
        for service in kept.values()
        for mount in service.raw.get("volumes") or ()
        if mount["type"] == "volume"
    }
    joined = {key for service in kept.values() for key in service.raw.get("networks") or {}}
    raw: dict[str, Any] = dict(model.raw)
    for kind, used in (("volumes", mounted), ("networks", joined)):
        raw[kind] = {key: each for key, each in (raw.get(kind) or {}).items() if key in used}
    return replace(model, services=kept, raw=raw)


def _written_probes(model: Model, around: Surroundings) -> dict[str, Probe]:
    """Return what stands in the files of health checks that get faster probes here."""
    faster = probing.fast_probes(model, around.probed_images)
    probes = {name: model.services[name].probe for name in faster}
    return {name: probe for name, probe in probes.items() if probe is not None}


def _surroundings(ws: Workspace, model: Model) -> Surroundings:
    sources = {
        str(mount["source"])
        for service in model.services.values()
        for mount in service.raw.get("volumes") or ()
        if mount["type"] == "bind" and not mount.get("read_only")
    }
    absent = {source for source in sources if not Path(source).exists()}
    return Surroundings(
        root=str(ws.root),
        disposable=frozenset(absent | _ignored(ws, sorted(sources - absent))),
        probed_images=probing.probed_images(ws, model),
    )


def _ignored(ws: Workspace, sources: list[str]) -> set[str]:
    """Return those paths that Git ignores; none where there is no Git."""
    if not sources or ws.runner.find("git") is None:
        return set()
    answer = ws.runner.read("git", "check-ignore", "--", *sources, cwd=ws.root, check=False)
    return set(answer.stdout.splitlines()) if answer.returncode == 0 else set()


def _refused(selection: Selection, isolation: Isolation) -> UsageError:
    count = len(isolation.refusals)
    return UsageError(
        f'stack "{selection.stack.name}" cannot be started as a throwaway: '
        f"{count} thing{'s' if count > 1 else ''} of it cannot be isolated",
        why=list(isolation.refusals),
        next_step="leave those services out with --service, or give them a profile of their own",
    )
