"""Tables of tags: each set of rules over every kind of ref, of each provider, word for word."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from goldens import goldens
from hullwright.errors import HullwrightError
from hullwright.report.table import aligned
from hullwright.tagging import compute, parse
from tagging import clone, on, on_github, on_gitlab, pull

if TYPE_CHECKING:
    from hullwright.tagging import RefContext

HERE: Final = Path(__file__).parent
KNOWN: Final = clone(
    *("main", "my/feature", "my-feature", "1.9", "v1.2.3", "latest", "größe/ß", "release"),
    *("t:v1.2.3", "t:v1.9.0", "t:v1.9.1", "t:v2.0.1", "t:v2.1.0-rc.1", "t:release"),
)
CONTEXTS: Final[dict[str, RefContext]] = {
    "GitHub push main": on_github("push", "refs/heads/main", clone=KNOWN),
    "GitLab push main": on_gitlab("push", KNOWN, COMMIT_BRANCH="main", COMMIT_REF_NAME="main"),
    "laptop main": on("refs/heads/main", KNOWN),
    "GitHub push my/feature": on_github("push", "refs/heads/my/feature", clone=KNOWN),
    "GitLab push my/feature": on_gitlab("push", KNOWN, COMMIT_BRANCH="my/feature"),
    "laptop my/feature": on("refs/heads/my/feature", KNOWN),
    "laptop my-feature": on("refs/heads/my-feature", KNOWN),
    "laptop fix/one": on("refs/heads/fix/one", KNOWN),
    "laptop größe/ß": on("refs/heads/größe/ß", KNOWN),
    "laptop branch 1.9": on("refs/heads/1.9", KNOWN),
    "laptop branch v1.2.3": on("refs/heads/v1.2.3", KNOWN),
    "laptop branch latest": on("refs/heads/latest", KNOWN),
    "laptop branch release": on("refs/heads/release", KNOWN),
    "GitHub tag v2.0.1": on_github(
        "push", "refs/tags/v2.0.1", {"base_ref": "refs/heads/main"}, KNOWN
    ),
    "GitLab tag v2.0.1": on_gitlab("push", KNOWN, COMMIT_TAG="v2.0.1", COMMIT_REF_NAME="v2.0.1"),
    "laptop tag v2.0.1": on("refs/tags/v2.0.1", KNOWN),
    "GitHub release v2.0.1": on_github("release", "refs/tags/v2.0.1", clone=KNOWN),
    "laptop back-port v1.9.1": on("refs/tags/v1.9.1", KNOWN),
    "laptop old v1.9.0": on("refs/tags/v1.9.0", KNOWN),
    "laptop v2.1.0-rc.1": on("refs/tags/v2.1.0-rc.1", KNOWN),
    "laptop 1.2.3rc2": on("refs/tags/1.2.3rc2", KNOWN),
    "laptop 1.2.post1": on("refs/tags/1.2.post1", KNOWN),
    "laptop v3.0.0+build.7": on("refs/tags/v3.0.0+build.7", KNOWN),
    "laptop tag release": on("refs/tags/release", KNOWN),
    "laptop tag p1/v1.0.0": on("refs/tags/p1/v1.0.0", KNOWN),
    "GitHub pull request": on_github("pull_request", "refs/pull/15/merge", pull(), KNOWN),
    "GitHub pull request, target": on_github(
        "pull_request_target", "refs/heads/main", pull(), KNOWN
    ),
    "GitLab merge request": on_gitlab(
        "merge_request_event",
        KNOWN,
        MERGE_REQUEST_IID="15",
        MERGE_REQUEST_TARGET_BRANCH_NAME="main",
        COMMIT_REF_NAME="my/feature",
    ),
    "GitHub schedule": on_github("schedule", "refs/heads/main", clone=KNOWN),
    "GitLab schedule": on_gitlab("schedule", KNOWN, COMMIT_BRANCH="main"),
    "GitLab schedule, not main": on_gitlab("schedule", KNOWN, COMMIT_BRANCH="my/feature"),
    "GitHub dispatch": on_github("workflow_dispatch", "refs/heads/main", clone=KNOWN),
    "GitLab web": on_gitlab("web", KNOWN, COMMIT_BRANCH="main"),
    "nothing known": on("", event=""),
}
RULES: Final = sorted(path.stem for path in HERE.glob("*.rules"))


@pytest.mark.parametrize("name", RULES)
def test_a_set_of_rules_gives_these_tags(name: str) -> None:
    rules, flavor = parse((HERE / f"{name}.rules").read_text(encoding="utf-8"))
    rows = []
    for where, context in CONTEXTS.items():
        try:
            found = compute(context, rules, flavor, image_tag="1.2.4-0.dev.5.g1a2b3c4")
            told = " ".join(found.names) or "none"
            warnings = [f"  ! {warning}" for warning in found.warnings]
        except HullwrightError as error:
            told, warnings = f"✗ {error.what}", []
        rows += [(where, told), *((warning,) for warning in warnings)]
    held(f"{name}.txt", _table(rows))


@pytest.mark.parametrize(
    "places",
    [
        ("GitHub push main", "GitLab push main", "laptop main", "GitHub dispatch", "GitLab web"),
        ("GitHub push my/feature", "GitLab push my/feature", "laptop my/feature"),
        ("GitLab tag v2.0.1", "laptop tag v2.0.1", "GitHub release v2.0.1"),
        ("GitHub pull request", "GitHub pull request, target", "GitLab merge request"),
        ("GitHub schedule", "GitLab schedule"),
    ],
)
def test_every_provider_gives_the_same_tags(places: tuple[str, ...]) -> None:
    for name in RULES:
        rules, flavor = parse((HERE / f"{name}.rules").read_text(encoding="utf-8"))
        given = {
            compute(CONTEXTS[where], rules, flavor, image_tag="1.2.3").names for where in places
        }
        assert len(given) == 1, name


def _table(rows: list[tuple[str, ...]]) -> str:
    width = [row for row in rows if len(row) > 1]
    lines = iter(aligned(width).splitlines())
    return "\n".join(next(lines) if len(row) > 1 else row[0] for row in rows)


held = goldens(HERE)
