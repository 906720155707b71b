"""Under which name an image is current that has several."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest

from hullwright import recorded
from hullwright.build import BuildRequest
from hullwright.build.currency import decide, fingerprints_now
from hullwright.build.fingerprint import LABEL
from hullwright.build.models import BuildPlan, PlannedTarget
from hullwright.recorded import RecordedImage
from hullwright.run import Result
from hullwright.tools.buildx import BakeTarget
from replaying import Replay, workspace

if TYPE_CHECKING:
    from pathlib import Path

OCI: Final = "org.opencontainers.image."
DIGEST: Final = f"sha256:{'1' * 64}"
PLANNED: Final = PlannedTarget(
    "api",
    "production",
    "shop/api:1.4.2",
    (),
    "1.4.2",
    "",
    BakeTarget("api-production", ".", "Dockerfile"),
    also=("shop/api:production",),
)


def name_of(root: Path, *tags: str, record: str = "") -> str:
    """Return the name under which an image with these tags is current.

    Args:
        root: of the repository.
        tags: after `shop/api:`, as the engine lists them.
        record: that of them under which a build recorded it; empty for none.
    """
    (root / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n", encoding="utf-8")
    plan = BuildPlan((PLANNED,))
    value = fingerprints_now(workspace(root), plan)[PLANNED.name].value
    image = {
        "Id": DIGEST,
        "RepoTags": [f"shop/api:{tag}" for tag in tags],
        "Os": "linux",
        "Architecture": "amd64",
        "Config": {"Labels": {LABEL: value, f"{OCI}version": "1.4.1"}},
    }
    row = {"Repository": "shop/api", "Tag": record, "ID": DIGEST, "Digest": DIGEST}
    ls = ("docker", "image", "ls")
    answers: dict[tuple[str, ...], Result] = {
        (*ls, "--quiet"): Result((), 0, DIGEST),
        ls: Result((), 0, json.dumps(row) if record else ""),
        ("docker", "image", "inspect"): Result((), 0, json.dumps([image])),
    }
    ws = workspace(root, runner=Replay({}, results=answers))
    if record:
        made = datetime(2026, 11, 21, tzinfo=UTC)
        reference = f"shop/api:{record}"
        of = RecordedImage("api", "production", reference, DIGEST, "1.4.1", "", (), made, value)
        recorded.save(ws, [of])
    (target,) = decide(ws, plan, BuildRequest()).targets
    assert target.decision.action == "current"
    return target.decision.reference


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        (("1.4.1", "1.4.2", "production"), "1.4.2"),
        # The last one that the engine lists would be the one that moves.
        (("1.4.1", "production"), "1.4.1"),
        (("production",), "production"),
    ],
)
def test_a_further_name_counts_where_there_is_no_other(
    tmp_path: Path, tags: tuple[str, ...], name: str
) -> None:
    assert name_of(tmp_path, *tags) == f"shop/api:{name}"


def test_an_image_keeps_the_name_that_was_recorded(tmp_path: Path) -> None:
    assert name_of(tmp_path, "field-test", record="field-test") == "shop/api:field-test"
