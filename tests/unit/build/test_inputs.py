"""What the images of a plan are made from, and what makes that impossible to know."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from hullwright.build.affected import changed_targets
from hullwright.build.fingerprint import Fingerprint
from hullwright.build.inputs import contexts_of, fingerprints, host_platform, materials
from hullwright.build.kept import earlier, save_inputs
from hullwright.build.models import BuildPlan, PlannedTarget
from hullwright.build.outcome import TargetResult
from hullwright.tools.buildx import BakeTarget
from replaying import workspace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PLAIN = "FROM python:3.13\nCOPY . /app\n"


def planned(root: Path, dockerfile: str = PLAIN, **bake: Any) -> PlannedTarget:
    """Return the target of a service whose folder is written."""
    (root / "api").mkdir(exist_ok=True)
    (root / "api/app.py").write_text("1")
    (root / "api/Dockerfile").write_text(dockerfile)
    made = BakeTarget("api", "api", "Dockerfile", **bake)
    return PlannedTarget("api", "", "shop/api:1", made.platforms, "1.0.0", "a" * 40, made)


def fingerprint(
    root: Path, target: PlannedTarget, *overrides: str, digests: Mapping[str, str] | None = None
) -> Fingerprint:
    """Return the fingerprint of one target."""
    ws = workspace(root)
    known = {"python:3.13": "sha256:1"} if digests is None else digests
    plan = BuildPlan((target,), overrides=overrides)
    return fingerprints(materials(ws, plan), contexts_of(ws), known)["api"]


def test_files_the_dockerfile_and_the_base_are_parts(tmp_path: Path) -> None:
    found = fingerprint(tmp_path, planned(tmp_path))
    assert found.unknown == ()
    assert found.parts["image python:3.13"] == "sha256:1"
    assert found.parts["platforms"] == host_platform()
    assert {"context ", "Dockerfile", "stage"} <= found.parts.keys()


@pytest.mark.parametrize(
    ("dockerfile", "why"),
    [
        ("FROM other:1\n", "the digest of other:1 is not known"),
        ("FROM python:$NOWHERE\n", "line 1 names an image by $NOWHERE, which has no value"),
        (
            "FROM scratch\nADD https://example.com/x.tar /x\n",
            "line 2 adds https://example.com/x.tar, which may have changed (--checksum pins it)",
        ),
    ],
)
def test_what_cannot_be_known_is_said(tmp_path: Path, dockerfile: str, why: str) -> None:
    assert fingerprint(tmp_path, planned(tmp_path, dockerfile)).unknown == (why,)


@pytest.mark.parametrize(
    "dockerfile",
    [
        f"FROM other@sha256:{'1' * 64}\n",
        f"FROM scratch\nADD --checksum=sha256:{'1' * 64} https://example.com/x /x\n",
        "FROM unknown AS unused\nFROM scratch\n",
    ],
)
def test_what_is_pinned_or_not_needed_is_known(tmp_path: Path, dockerfile: str) -> None:
    assert fingerprint(tmp_path, planned(tmp_path, dockerfile)).unknown == ()


def test_a_context_that_only_the_build_reads_is_not_known(tmp_path: Path) -> None:
    target = planned(tmp_path, contexts={"src": "https://example.com/src.git"})
    (why,) = fingerprint(tmp_path, target).unknown
    assert why == "context src is https://example.com/src.git, which only the build reads"


def test_images_are_asked_for_on_every_platform_that_their_name_tells_of(tmp_path: Path) -> None:
    target = planned(
        tmp_path,
        "ARG TARGETARCH\nFROM tools-$TARGETARCH:1\n",
        platforms=("linux/amd64", "linux/arm64"),
    )
    found = fingerprint(tmp_path, target, digests={})
    assert {part for part in found.parts if part.startswith("image")} == {
        "image tools-amd64:1",
        "image tools-arm64:1",
    }


def test_named_contexts_are_folders_images_and_siblings(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets/logo").write_text("1")
    (tmp_path / "assets/note").write_text("1")
    (tmp_path / "assets/.dockerignore").write_text("note\n")
    target = planned(tmp_path, contexts={"assets": "assets", "tools": "docker-image://python:3.13"})
    before = fingerprint(tmp_path, target).value
    (tmp_path / "assets/note").write_text("2")
    assert fingerprint(tmp_path, target).value == before
    (tmp_path / "assets/logo").write_text("2")
    assert fingerprint(tmp_path, target).value != before


def test_ids_of_secrets_count_and_the_certificates_do_not(tmp_path: Path) -> None:
    plain = fingerprint(tmp_path, planned(tmp_path)).value
    bundle = planned(tmp_path, secrets=("id=ca-bundle,src=/etc/bundle.pem",))
    assert fingerprint(tmp_path, bundle).value == plain
    one = planned(tmp_path, secrets=("id=token,env=ONE",))
    other = planned(tmp_path, secrets=("type=env,id=token,env=OTHER",))
    assert fingerprint(tmp_path, one).value == fingerprint(tmp_path, other).value != plain


@pytest.mark.parametrize(
    ("override", "counts"),
    [
        ("*.args.A=1", True),
        ("other.args.A=1", False),
        ("*.cache-from=type=local,src=x", False),
        ("api.output=type=local,dest=x", False),
        ("api.platform=linux/arm64", True),
    ],
)
def test_an_override_counts_where_it_changes_the_image(
    tmp_path: Path,
    override: str,
    counts: bool,  # noqa: FBT001  a column of the table above
) -> None:
    target = planned(tmp_path)
    plain, other = fingerprint(tmp_path, target), fingerprint(tmp_path, target, override)
    assert (plain.value != other.value) is counts


def test_an_override_that_names_other_files_makes_the_inputs_unknown(tmp_path: Path) -> None:
    found = fingerprint(tmp_path, planned(tmp_path), "*.context=elsewhere")
    assert found.unknown == ("--set context=elsewhere replaces it",)


def test_a_file_that_is_gone_still_tells_whose_it_was(tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api/.dockerignore").write_text("docs\n")
    plan = BuildPlan((planned(tmp_path),))
    ws = workspace(tmp_path)
    assert changed_targets(ws, plan, ["api/gone.py"]) == {("api", "")}
    assert changed_targets(ws, plan, ["api/docs/x", "web/y", "../z"]) == frozenset()
    assert changed_targets(ws, plan, ["api/.dockerignore"]) == {("api", "")}


def test_inputs_of_what_was_built_are_kept_and_those_of_no_use_removed(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    listings = []
    for content in ("1", "2"):
        target = planned(tmp_path)
        (tmp_path / "api/app.py").write_text(content)
        inputs = fingerprint(tmp_path, target)
        made = PlannedTarget(
            "api", "", "x", (), "1", "", target.bake, fingerprint=inputs.value, inputs=inputs
        )
        result = TargetResult("api", "", (), "x", "built", digest="sha256:1")
        save_inputs(ws, BuildPlan((made,)), [result])
        kept = earlier(ws, made)
        assert kept is not None
        assert (kept.fingerprint, kept.parts) == (inputs.value, inputs.parts)
        folder = tmp_path / ".hullwright/inputs/contexts"
        listings.append([json.loads(path.read_text()) for path in folder.iterdir()])
    assert [len(found) for found in listings] == [1, 1]
    assert listings[0] != listings[1]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"fingerprint": 1, "parts": 2}'])
def test_a_broken_file_is_as_good_as_none(tmp_path: Path, content: str) -> None:
    folder = tmp_path / ".hullwright/inputs"
    folder.mkdir(parents=True)
    (folder / "api.json").write_text(content)
    assert earlier(workspace(tmp_path), planned(tmp_path)) is None
