"""What `stop` and `down` ended and removed, as text, Markdown and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hullwright.stack import StopPlan
from hullwright.stack.words import invoked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.stack import DownPlan

_SCHEMA: Final = 1


def text(shown: DownPlan | StopPlan) -> str:
    """Return a report for people."""
    if isinstance(shown, StopPlan):
        return _stop_text(shown)
    if not shown:
        return f"project {shown.project}: nothing is there"
    told = (
        _counted(names, kind)
        for kind, names in (
            ("container", shown.containers),
            ("network", shown.networks),
            ("volume", shown.volumes),
            ("secret", shown.secrets),
            ("image", shown.images),
        )
        if names
    )
    kept = " · volumes kept" if shown.keeps_volumes and not shown.volumes else ""
    kept += f" · {_counted(shown.kept_images, 'image')} kept" if shown.kept_images else ""
    return f"project {shown.project}: removed {', '.join(told)}{kept}"


def markdown(shown: DownPlan | StopPlan) -> str:
    """Return a report for a job summary or a pull request."""
    return f"```\n{text(shown)}\n```"


def as_json(shown: DownPlan | StopPlan) -> dict[str, Any]:
    """Return a report as documented values."""
    if isinstance(shown, StopPlan):
        return {
            "schema": _SCHEMA,
            "stack": shown.stack,
            "project": shown.project,
            "stopped": list(shown.containers),
            "not_running": [name for name, _ in shown.ended],
        }
    return {
        "schema": _SCHEMA,
        "project": shown.project,
        "containers": list(shown.containers),
        "networks": list(shown.networks),
        "volumes": list(shown.volumes),
        "secrets": list(shown.secrets),
        "images": list(shown.images),
        "kept_images": [name for name, _ in shown.kept_images],
    }


def _stop_text(plan: StopPlan) -> str:
    if not plan.containers:
        return f"project {plan.project}: nothing runs"
    names = ", ".join(plan.services)
    counted = _counted(plan.containers, "container")
    again = invoked("up", plan.stack)
    return f"project {plan.project}: stopped {counted} ({names}) · start again: {again}"


def _counted(names: Sequence[object], kind: str) -> str:
    return f"{len(names)} {kind}{'s' if len(names) != 1 else ''}"
