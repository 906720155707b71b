"""The failure that only Compose tells of: the engine refused something before any container."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hullwright.stack import holders, words
from hullwright.stack.causes import TRY, Failure
from hullwright.tools import details

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.stack.words import Refusal
    from hullwright.tools.compose import Model
    from hullwright.tools.engine import Container
    from hullwright.workspace import Workspace

_LINES: Final = 5
_SENTENCES: Final = {
    "port-taken": "port {subject} is already taken",
    "image-missing": "image {subject} is not in the local store",
    "wrong-platform": "{service} cannot run here: its image is for another platform",
    "dependency": "{service} did not come up, and others depend on it",
    "no-healthcheck": "{service} has no health check, and others wait for it to be healthy",
    "external-network": "network {subject}, which the files call external, is not there",
    "external-volume": "volume {subject}, which the files call external, is not there",
    "missing-value": "{subject} has no value",
    "disk-full": "no space is left",
}


def failure(
    ws: Workspace, there: Sequence[Container], output: Sequence[str], model: Model | None
) -> Failure:
    """Return why Compose gave up, by its own last words."""
    errors = words.errors_of(output)
    last = errors[-1] if errors else "(it said nothing)"
    refusal = words.refusal(last)
    sentence = _SENTENCES.get(refusal.kind)
    if sentence is None:
        text = "\n".join(errors[-_LINES:]) or last
        return Failure("", "compose", "Compose could not start the stack", (("compose", text),))
    service = _service(refusal, there, model)
    facts = [("compose", last)]
    if refusal.kind == "port-taken":
        facts.insert(0, ("held by", str(holders.of_port(ws, int(refusal.subject)))))
    elif refusal.kind == "wrong-platform":
        facts.insert(0, ("engine", details.engine_platform(ws.runner)))
    if refusal.kind in TRY:
        facts.append(("try", TRY[refusal.kind].format(subject=refusal.subject)))
    told = sentence.format(service=service or "a service", subject=refusal.subject or "something")
    return Failure(service, refusal.kind, told, tuple(facts))


def container(output: Sequence[str]) -> str:
    """Return the container because of which Compose gave up; empty where it names none."""
    errors = words.errors_of(output)
    return words.refusal(errors[-1]).subject if errors else ""


def _service(refusal: Refusal, there: Sequence[Container], model: Model | None) -> str:
    """Return the service that a refusal is about; empty where that is not known."""
    subject = refusal.subject
    if refusal.kind in {"dependency", "no-healthcheck"}:
        return next((each.service for each in there if subject in {each.name, each.service}), "")
    if refusal.kind in {"image-missing", "wrong-platform"} and subject:
        services = model.services.values() if model else ()
        return next(
            (each.name for each in services if subject in {each.image, f"{each.image}:latest"}), ""
        )
    return ""
