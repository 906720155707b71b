"""What is current is not built again, and whatever changes an input is: on the real engine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hullwright import build, recorded
from hullwright.build import BuildRequest
from hullwright.build.fingerprint import LABEL
from hullwright.config.models import Build
from hullwright.tools.published import Published
from registries import registry
from repositories import Repository
from yards import PLAIN, Yard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hullwright.build import Decision, PlannedTarget
    from hullwright.tools.published import Lookup, Wanted

from composing import docker

pytestmark = pytest.mark.docker


def version_of(decision: Decision) -> str:
    """Return the version that a current image keeps."""
    assert decision.action == "current", decision
    return decision.version


def test_what_was_built_is_current_and_says_since_when(yard: Yard) -> None:
    first = yard.build()["api"]
    assert first.action == "build"
    assert first.reason == "no image of these inputs in the local store"
    second = yard.build()["api"]
    assert second.action == "current"
    assert second.reason == f"inputs unchanged since {second.version}"
    assert second.version.startswith("1.0.1-0.dev.1+g")
    assert second.digest == recorded.load(yard.ws)["api", ""].digest
    labels = docker("image", "inspect", second.reference, "--format", "{{json .Config.Labels}}")
    assert recorded.load(yard.ws)["api", ""].fingerprint in labels


def test_a_commit_elsewhere_keeps_the_image_and_its_version(yard: Yard) -> None:
    yard.build()
    before = yard.one().decision
    yard.repository.commit(file="docs/page.md")
    after = yard.one()
    assert version_of(after.decision) == before.version != after.version


def test_a_changed_file_is_built_and_named(yard: Yard) -> None:
    yard.build()
    yard.repository.write("api/app.py", "print('other')\n")
    yard.repository.write("api/more.py", "")
    decision = yard.build()["api"]
    assert decision.changes == ("api/app.py changed", "api/more.py added")
    assert decision.reason == "api/app.py changed, and 1 more"
    assert yard.one().decision.action == "current"


def test_an_ignored_file_changes_nothing(yard: Yard) -> None:
    yard.repository.write("api/.dockerignore", "*.log\n")
    yard.repository.write("api/run.log", "1")
    yard.repository.commit()
    yard.build()
    yard.repository.write("api/run.log", "2")
    assert yard.one().decision.action == "current"
    yard.repository.write("api/.dockerignore", "*.txt\n")
    assert yard.one().decision.changes == ("api/.dockerignore changed", "api/run.log added")


def test_arguments_platforms_and_the_dockerfile_are_inputs(yard: Yard) -> None:
    yard.build()
    flavour = BuildRequest(build_args={"FLAVOUR": "sour"})
    (target,) = yard.decided(flavour).targets
    assert target.decision.reason == "argument FLAVOUR added"
    (target,) = yard.decided(BuildRequest(platforms=("linux/arm64",))).targets
    assert target.decision.reason == "platforms changed"
    yard.repository.write("api/Dockerfile", f"{PLAIN}ENV A=1\n")
    assert yard.one().decision.changes == ("api/Dockerfile changed",)


def test_a_base_image_that_moved_is_an_input(yard: Yard, tmp_path: Path) -> None:
    base = f"{yard.project}/base:1"
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY f /f\n")
    words = ("buildx", "build", "--quiet", "--tag", base, str(folder))
    label = f"--label=dev.hullwright.project={yard.project}"
    (folder / "f").write_text("1")
    docker(*words, label)
    yard.service("web", f"FROM {base}\nCOPY app.py /\n")
    yard.build()
    assert yard.one("web").decision.action == "current"
    (folder / "f").write_text("2")
    docker(*words, label)
    assert yard.one("web").decision.reason == f"base {base} moved"


def test_a_base_image_that_only_a_registry_has_is_asked_for_there(
    yard: Yard, tmp_path: Path
) -> None:
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY f /f\n")
    with registry(folder) as address:
        base = f"{address}/{yard.project}/base:1"
        yard.service("web", f"FROM {base}\nCOPY app.py /\n")
        for content in ("1", "2"):
            (folder / "f").write_text(content)
            docker(
                "buildx",
                "build",
                "--quiet",
                f"--output=type=image,name={base},push=true",
                str(folder),
            )
            docker("image", "rm", "--force", base, check=False)
            if content == "1":
                yard.build()
                assert yard.one("web").decision.action == "current"
        assert yard.one("web").decision.reason == f"base {base} moved"
    assert yard.one("web").decision.reason.endswith(f"the digest of {base} is not known")


def test_a_base_image_of_which_nothing_is_known_is_built_on_every_time(yard: Yard) -> None:
    yard.service("web", "FROM 127.0.0.1:1/nowhere:1\nCOPY app.py /\n")
    reason = yard.one("web").decision.reason
    assert reason == "it may have changed: the digest of 127.0.0.1:1/nowhere:1 is not known"


def test_a_sibling_that_changes_is_built_with_what_stands_on_it(yard: Yard) -> None:
    yard.service("web", "FROM PROJECT/api\nCOPY app.py /web.py\n")
    assert {d.action for d in yard.build().values()} == {"build"}
    assert {d.action for d in yard.build().values()} == {"current"}
    yard.repository.write("api/app.py", "print('other')\n")
    decisions = yard.build()
    assert decisions["web"].reason == "sibling api changed"
    assert decisions["api"].reason == "api/app.py changed"


def test_what_stands_on_a_current_sibling_takes_it_by_its_digest(yard: Yard) -> None:
    yard.service("web", "FROM PROJECT/api\nCOPY app.py /web.py\n")
    yard.build()
    yard.repository.write("web/app.py", "print('other')\n")
    plan = yard.decided()
    api, web = plan.targets
    assert (api.decision.action, web.decision.action) == ("current", "build")
    (context,) = web.bake.contexts.values()
    assert context == f"docker-image://{api.decision.reference}@{api.decision.digest}"
    assert yard.build()["web"].reason == "web/app.py changed"
    only = yard.decided(BuildRequest(services=("web",)))
    assert [t.service for t in only.targets] == ["web"]


def test_a_removed_image_is_built_again(yard: Yard) -> None:
    yard.build()
    docker("image", "rm", "--force", yard.one().decision.digest)
    decision = yard.build()["api"]
    assert decision.reason == (
        "inputs unchanged, but its image is not in the local store under this name"
    )
    assert yard.one().decision.action == "current"


def test_of_images_of_one_commit_a_release_goes_before_a_development_version(yard: Yard) -> None:
    yard.build()
    yard.repository.git("tag", "v1.0.1")
    yard.build()
    yard.repository.commit(file="docs/page.md")
    (yard.repository.root / ".hullwright" / "images.json").unlink()
    assert version_of(yard.one().decision) == "1.0.1"


def test_another_clone_takes_the_image_of_the_first(yard: Yard, tmp_path: Path) -> None:
    yard.build()
    before = yard.one().decision
    there = tmp_path / "clone"
    yard.repository.git("clone", "--quiet", str(yard.repository.root), str(there))
    other = Yard(Repository(there, yard.repository.environ), yard.project, yard.services)
    other.repository.commits = yard.repository.commits
    assert recorded.load(other.ws) == {}
    assert other.one().decision == before


def test_many_images_of_another_clone_are_found_by_one_look(yard: Yard, tmp_path: Path) -> None:
    for name in ("b", "c", "d"):
        yard.service(name)
    yard.repository.commit()
    yard.build()
    there = tmp_path / "clone"
    yard.repository.git("clone", "--quiet", str(yard.repository.root), str(there))
    other = Yard(Repository(there, yard.repository.environ), yard.project, yard.services)
    assert {t.decision.action for t in other.decided().targets} == {"current"}


def test_another_builder_builds_siblings_that_it_does_not_see(yard: Yard) -> None:
    yard.service("web", "FROM PROJECT/api\nCOPY app.py /web.py\n")
    yard.build()
    yard.repository.write("web/app.py", "print('other')\n")
    yard.repository.environ["BUILDX_BUILDER"] = "elsewhere"
    try:
        api, web = yard.decided().targets
    finally:
        del yard.repository.environ["BUILDX_BUILDER"]
    assert web.decision.reason == "web/app.py changed"
    assert api.decision.reason == (
        "another image is built on it, and builder elsewhere has no local store"
    )


def test_the_image_of_a_changed_tree_is_not_current_once_it_is_clean(yard: Yard) -> None:
    yard.repository.write("api/app.py", "print('other')\n")
    yard.build()
    assert "dirty" in version_of(yard.one().decision)
    yard.repository.git("commit", "--quiet", "--all", "--message=other")
    decision = yard.one().decision
    assert decision.action == "build"
    assert "was built from a changed tree" in decision.reason


def test_what_another_clone_built_is_recorded_here_too(yard: Yard, tmp_path: Path) -> None:
    yard.build()
    there = tmp_path / "clone"
    yard.repository.git("clone", "--quiet", str(yard.repository.root), str(there))
    other = Yard(Repository(there, yard.repository.environ), yard.project, yard.services)
    other.build()
    theirs, ours = recorded.load(other.ws)["api", ""], recorded.load(yard.ws)["api", ""]
    assert replace(theirs, at=ours.at) == ours


def test_the_image_of_another_branch_is_not_current(yard: Yard) -> None:
    yard.repository.git("checkout", "--quiet", "-b", "aside")
    yard.repository.commit(file="docs/page.md")
    yard.build()
    yard.repository.git("checkout", "--quiet", "main")
    decision = yard.one().decision
    assert decision.action == "build"
    assert "is of a commit outside of this history" in decision.reason


def published(planned: PlannedTarget, version: str, asked: list[Wanted]) -> Lookup:
    """Return a lookup that has one image for whatever is asked."""

    def lookup(wanted: Sequence[Wanted]) -> Mapping[str, Published]:
        asked.extend(wanted)
        return {
            each.fingerprint: Published(
                each.repository,
                each.tags[0],
                f"sha256:{'d' * 64}",
                "",
                version,
                planned.revision,
                each.fingerprint,
                ("linux/amd64",),
            )
            for each in wanted
        }

    return lookup


def test_a_release_is_built_unless_the_registry_holds_this_very_one(yard: Yard) -> None:
    yard.registry = "127.0.0.1:1/team"
    yard.build()
    yard.repository.git("tag", "v1.1.0")
    planned = yard.one()
    assert planned.release
    assert planned.decision.reason == "a release is built under its own version"
    asked: list[Wanted] = []
    (other,) = yard.decided(None, published(planned, "1.0.1-0.dev.1", asked), push=True).targets
    assert other.decision.action == "build"
    (same,) = yard.decided(None, published(planned, "1.1.0", asked), push=True).targets
    assert same.decision.action == "current"
    assert same.decision.digest == f"sha256:{'d' * 64}"
    assert asked[0].tags[0] == "1.1.0"
    assert asked[0].tags[-1] == f"hullwright-{planned.fingerprint[:32]}"


def test_what_only_the_registry_has_is_fetched_for_a_build_and_left_there_for_a_push(
    yard: Yard,
) -> None:
    yard.registry = "127.0.0.1:1/team"
    planned = yard.one()
    asked: list[Wanted] = []
    lookup = published(planned, "1.0.1-0.dev.0", asked)
    (fetched,) = yard.decided(None, lookup).targets
    assert fetched.decision.action == "fetch"
    assert fetched.decision.reason == "inputs unchanged since 1.0.1-0.dev.0"
    (left,) = yard.decided(None, lookup, push=True).targets
    assert left.decision.action == "current"


def test_a_registry_is_told_which_images_hide_others(yard: Yard) -> None:
    yard.registry = "127.0.0.1:1/team"
    asked: list[Wanted] = []
    lookup = published(yard.one(), "1.0.1-0.dev.0", asked)
    yard.decided(None, lookup)
    (found,) = lookup(asked).values()
    accepts = asked[0].accepts
    assert accepts is not None
    assert accepts(found)
    assert not accepts(replace(found, version="1.0.1-0.dev.0+g1.dirty.2"))
    assert not accepts(replace(found, revision="0" * 40))


def test_a_push_with_attestations_takes_no_image_without_them(yard: Yard) -> None:
    yard.build()
    yard.settings = Build(attestations=("type=sbom",))
    assert yard.one().decision.action == "current"
    (planned,) = yard.decided(push=True).targets
    assert planned.decision.reason == "the local image of these inputs has no attestations"


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (BuildRequest(force=True), "--force"),
        (BuildRequest(no_cache=True), "--no-cache"),
        (
            BuildRequest(outputs=("type=cacheonly",)),
            "--output sends it elsewhere than to the local store",
        ),
    ],
)
def test_what_is_asked_for_whatever_there_is_is_built(
    yard: Yard, request_: BuildRequest, reason: str
) -> None:
    yard.build()
    (planned,) = yard.decided(request_).targets
    assert (planned.decision.action, planned.decision.reason) == ("build", reason)
    assert planned.bake.labels[LABEL] == planned.fingerprint


def test_a_limit_leaves_out_the_others(yard: Yard) -> None:
    yard.service("web", "FROM PROJECT/api\nCOPY app.py /web.py\n").service("cli")
    plan = yard.decided(BuildRequest(only=(("web", ""),)))
    assert [(t.service, t.asked) for t in plan.targets] == [("api", False), ("web", True)]


def test_paths_tell_which_targets_they_belong_to(yard: Yard) -> None:
    yard.service("web", "FROM PROJECT/api\nCOPY app.py /web.py\n").service("cli")
    yard.repository.write("cli/.dockerignore", "*.md\n")
    plan = yard.decided()
    found = {
        path: {service for service, _ in build.changed_targets(yard.ws, plan, [path])}
        for path in ("api/gone.py", "web/app.py", "cli/README.md", "docs/x", "cli/Dockerfile")
    }
    assert found == {
        "api/gone.py": {"api", "web"},
        "web/app.py": {"web"},
        "cli/README.md": set(),
        "docs/x": set(),
        "cli/Dockerfile": {"cli"},
    }
