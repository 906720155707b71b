"""Contexts for tests of tags, with a frozen clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from hullwright.tagging import Clone, RefContext
from hullwright.tagging.observe import context_of
from hullwright.tagging.providers import Told, github, gitlab

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW: Final = datetime(2026, 3, 29, 0, 30, 15, 250_000, tzinfo=UTC)
COMMITTED: Final = NOW - timedelta(days=88, hours=1)
SHA: Final = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
HEAD_SHA: Final = "99f0e1d2c3b4a5968778695a4b3c2d1e0f99f0e1"
NOTHING_KNOWN: Final = Clone()


def on(ref: str, clone: Clone = NOTHING_KNOWN, event: str = "push", **more: str) -> RefContext:
    """Return the context of a ref as Git alone tells it."""
    told = Told(event, ref, SHA, default_branch="main", origin="Git", **more)  # type: ignore[arg-type]  # texts only
    return frozen(told, clone)


def on_github(
    event: str, ref: str, payload: Mapping[str, Any] | None = None, clone: Clone = NOTHING_KNOWN
) -> RefContext:
    """Return the context of a GitHub event."""
    environ = {"GITHUB_EVENT_NAME": event, "GITHUB_REF": ref, "GITHUB_SHA": SHA}
    known = {"repository": {"default_branch": "main"}, **(payload or {})}
    return frozen(github(environ, known), clone)


def on_gitlab(source: str, clone: Clone = NOTHING_KNOWN, **variables: str) -> RefContext:
    """Return the context of a GitLab pipeline; `variables` are its own without `CI_`."""
    environ = {"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": source, "CI_COMMIT_SHA": SHA}
    environ |= {"CI_DEFAULT_BRANCH": "main"} | {f"CI_{k}": v for k, v in variables.items()}
    return frozen(gitlab(environ), clone)


def frozen(told: Told, clone: Clone = NOTHING_KNOWN) -> RefContext:
    """Return a context at the moment of the tests."""
    from dataclasses import replace

    return context_of(replace(told, commit_date=told.commit_date or COMMITTED), NOW, clone)


def pull(number: int = 15, base: str = "main") -> dict[str, Any]:
    """Return the payload of a pull request."""
    return {
        "number": number,
        "pull_request": {"base": {"ref": base}, "head": {"sha": HEAD_SHA}},
    }


def clone(*refs: str) -> Clone:
    """Return a clone with branches (`main`) and tags (`t:v1.2.3`)."""
    full = (f"refs/tags/{r[2:]}" if r.startswith("t:") else f"refs/heads/{r}" for r in refs)
    return Clone(tuple(full))
