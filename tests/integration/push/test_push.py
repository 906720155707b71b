"""Pushes to a real registry: a release has all of its tags, or none of it has changed."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from composing import docker
from flaky import denied

from .conftest import Yard, sha, yard_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker


@pytest.fixture
def eight(busybox: str, tmp_path: Path) -> Iterator[Yard]:
    """Yield a repository of eight services."""
    with yard_in(tmp_path, 8) as made_yard:
        yield made_yard


def statuses(told: str) -> dict[str, str]:
    """Return the status of each service's build in the machine form of a push."""
    return {target["service"]: target["status"] for target in json.loads(told)["build"]["targets"]}


def second_runner(yard: Yard, folder: Path) -> Yard:
    """Return a fresh clone on a machine whose store has none of the images."""
    yard.matrix.remove()
    clone = folder / "clone"
    yard.matrix.repository.git("clone", "--quiet", str(yard.matrix.root), str(clone))
    repository = type(yard.matrix.repository)(clone, yard.matrix.environ)
    matrix = type(yard.matrix)(
        repository, yard.matrix.project, yard.matrix.names, yard.matrix.registry
    )
    return Yard(matrix, yard.proxy)


def test_all_tags_of_an_image_name_one_digest(pushed: Yard) -> None:
    for service in pushed.matrix.names:
        tags = pushed.tags(service)
        assert set(tags) == {sha(pushed), "main", "stable"}
        assert len(set(tags.values())) == 1


def test_fixed_tags_are_there_before_any_moving_one(pushed: Yard) -> None:
    puts = [
        seen.path.rpartition("/")[2]
        for seen in pushed.proxy.seen
        if seen.method == "PUT" and "/manifests/" in seen.path and "hullwright-" not in seen.path
    ]
    tags = [tag for tag in puts if not tag.startswith("sha256:")]
    first = len(pushed.matrix.names)
    assert set(tags[:first]) == {sha(pushed)}
    assert set(tags[first:]) == {"main", "stable"}


def test_no_staging_name_is_left_in_the_local_store(pushed: Yard) -> None:
    names = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    own = [name for name in names if pushed.matrix.project in name]
    assert own
    assert [name for name in own if "hullwright-" in name] == []


def test_a_push_again_is_no_conflict_and_moves_nothing(pushed: Yard) -> None:
    before = pushed.all_tags()
    told = json.loads(pushed.push("--format", "json").partition("\n}\n")[0] + "}")
    assert told["pushed"] is True
    assert {tag["status"] for tag in told["tags"]} == {"unchanged"}
    assert {target["status"] for target in told["build"]["targets"]} == {"current"}
    assert pushed.all_tags() == before


def test_a_push_is_recorded(pushed: Yard) -> None:
    (record, *_) = pushed.matrix.json("history")["records"][-1:]
    assert (record["kind"], record["status"]) == ("push", "done")


def test_another_machine_finds_the_content_and_builds_nothing(pushed: Yard, tmp_path: Path) -> None:
    before = pushed.all_tags()
    clone = second_runner(pushed, tmp_path)
    done = clone.matrix.run("push", "--format", "json")
    assert set(statuses(done.stdout).values()) == {"current"}
    assert pushed.all_tags() == before
    assert clone.matrix.images() == []


def test_a_dry_run_says_what_and_in_which_order(pushed: Yard) -> None:
    seen = len(pushed.proxy.seen)
    done = pushed.matrix.run("--dry", "push")
    assert done.stdout.startswith("push 2 images, by digest, before any tag\n")
    assert done.stdout.index("fixed tags, first") < done.stdout.index("moving tags, last")
    assert not [each for each in pushed.proxy.seen[seen:] if each.method not in {"GET", "HEAD"}]


def test_one_failure_of_eight_changes_no_tag_and_the_next_push_builds_one(
    eight: Yard, tmp_path: Path
) -> None:
    eight.matrix.fail("s3")
    eight.matrix.commit()
    told = eight.push(code=1)
    assert "no release tag was changed · 7 of 8 wait in the registry" in told, told
    assert "again with: invoke push --failed" in told
    assert "invoke build --failed" not in told
    assert eight.all_tags() == {}
    eight.matrix.steps("s3", "true # mended")
    eight.matrix.commit()
    other = second_runner(eight, tmp_path)
    done = other.matrix.run("push", "--failed", "--format", "json")
    found = statuses(done.stdout)
    assert [name for name, status in found.items() if status == "built"] == ["s3"]
    assert set(found.values()) == {"built", "current"}
    assert len(eight.all_tags()) == 8 * 3
    assert json.loads(done.stdout)["window_seconds"] < 1


def gate(yard: Yard, script: str) -> None:
    """Add a gate to the configuration, and commit it."""
    path = yard.matrix.root / "gate.sh"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    file = yard.matrix.root / "hullwright.toml"
    text = f'{file.read_text(encoding="utf-8")}[push]\ngates = ["./gate.sh --strict"]\n'
    file.write_text(text, encoding="utf-8")
    yard.matrix.commit()


def test_a_gate_that_refuses_leaves_every_tag_as_it_is(yard: Yard) -> None:
    gate(yard, "echo 1 critical finding in $1; exit 7")
    told = yard.push(code=1)
    assert "a gate refused this release: it ended with 7" in told
    assert "1 critical finding in --strict" in told
    assert yard.all_tags() == {}
    assert [tag for tag in yard.tags("s0", staging=True) if tag.startswith("hullwright-")]


def test_a_gate_sees_each_image_by_its_digest(yard: Yard) -> None:
    gate(yard, 'cat > release.json; echo "$HULLWRIGHT_PUSH_REFERENCES" > references')
    (yard.matrix.root / ".gitignore").write_text("release.json\nreferences\n", encoding="utf-8")
    yard.matrix.commit()
    yard.push()
    told = json.loads((yard.matrix.root / "release.json").read_text(encoding="utf-8"))
    named = {image["service"]: image["digest"] for image in told["images"]}
    assert named == {service: yard.tags(service)["stable"] for service in yard.matrix.names}
    references = (yard.matrix.root / "references").read_text(encoding="utf-8").strip().split(",")
    assert references == [image["reference"] for image in told["images"]]


def test_a_fixed_tag_of_another_image_is_a_conflict(yard: Yard) -> None:
    yard.push()
    before = yard.all_tags()
    # The same commit with another argument: what another machine may have been told to build.
    told = yard.push("--build-arg", "FLAVOUR=other", code=1)
    digest = before[f"s1:{sha(yard)}"]
    assert "so no tag was moved" in told
    assert f"@{digest}" in told
    assert yard.all_tags() == before


def test_a_changed_tree_does_not_take_the_name_of_its_commit(yard: Yard) -> None:
    yard.matrix.change("s1")
    yard.push()
    assert f"s1:{sha(yard)}" not in yard.all_tags()
    assert {"s0:main", "s1:main"} <= yard.all_tags().keys()


def failing_release(yard: Yard) -> dict[str, str]:
    """Push, commit a change, and let the registry refuse `stable` of s1 from now on."""
    yard.push()
    before = yard.all_tags()
    yard.matrix.change("s0")
    yard.matrix.change("s1")
    yard.matrix.commit()
    yard.proxy.answer(403, method="PUT", path=r"s1/manifests/stable$", body=denied("frozen"))
    return before


def test_a_failure_while_moving_restores_tags_and_names_new_ones(yard: Yard) -> None:
    before = failing_release(yard)
    told = yard.push(code=1)
    new = {f"s0:{sha(yard)}", f"s1:{sha(yard)}"}
    assert "while tags were moved" in told
    assert "frozen" in told
    assert "the registry deletes no single tags" in told
    after = yard.all_tags()
    assert {tag: digest for tag, digest in after.items() if tag not in new} == before
    # The next push ends what this one began: the same images are no conflict.
    yard.push("--failed")
    assert yard.tags("s1")["stable"] == after[f"s1:{sha(yard)}"]


def test_new_tags_are_removed_where_the_registry_can(yard: Yard) -> None:
    failing_release(yard)
    yard.proxy.answer(202, method="DELETE", path=r"/manifests/sha-", times=None)
    told = yard.push(code=1)
    assert f"s0:{sha(yard)}  it was new" in told
    assert yard.proxy.counted("DELETE", r"/manifests/sha256:") == 0


def test_an_interrupt_while_moving_restores_tags(yard: Yard) -> None:
    yard.push()
    before = yard.all_tags()
    yard.matrix.change("s0")
    yard.matrix.commit()
    held = yard.proxy.hold(method="PUT", path=r"s0/manifests/stable$")
    with yard.matrix.start("push") as process:
        assert held.reached.wait(120)
        process.send_signal(signal.SIGINT)
        held.go()
        out, errors = process.communicate(timeout=120)
    assert process.returncode == 130, f"{out}{errors}"
    after = yard.all_tags()
    assert {tag: digest for tag, digest in after.items() if sha(yard) not in tag} == {
        tag: digest for tag, digest in before.items() if sha(yard) not in tag
    }


def test_an_attestation_that_is_asked_for_is_attached(busybox: str, tmp_path: Path) -> None:
    with yard_in(tmp_path, 1, configuration='build.attestations = ["provenance"]\n') as yard:
        # A build without it is no substitute, though its inputs are the same.
        yard.matrix.run("build")
        told = yard.matrix.json("push")
        assert told["images"][0]["attestations"] == ["provenance"]
        kinds = [
            (entry.get("annotations") or {}).get("vnd.docker.reference.type")
            for entry in yard.document("s0", "stable")["manifests"]
        ]
        assert kinds == [None, "attestation-manifest"]
        again = yard.matrix.json("push")
        assert again["build"]["targets"][0]["status"] == "current"


def test_a_push_tells_and_draws_its_build(yard: Yard, tmp_path: Path) -> None:
    file = tmp_path / "build.html"
    told = yard.push("--why", "--timeline", str(file), "--jobs", "1")
    assert "no image of these inputs in the local store or the registry" in told
    assert "<svg" in file.read_text(encoding="utf-8")


def test_other_local_tags_go_along_where_that_is_asked_for(yard: Yard) -> None:
    yard.push("--service", "s0")
    name = f"{yard.matrix.registry}/{yard.matrix.project}/s0"
    docker("tag", f"{name}@{yard.tags('s0')['stable']}", f"{name}:mine")
    yard.push("--service", "s0", "--all-tags")
    tags = yard.tags("s0")
    assert tags["mine"] == tags["stable"]
    assert yard.tags("s1") == {}


def test_a_release_file_says_what_was_pushed(yard: Yard, tmp_path: Path) -> None:
    file = tmp_path / "release.json"
    summary = tmp_path / "summary.md"
    yard.push("--release-file", str(file), GITHUB_STEP_SUMMARY=str(summary))
    assert f"`{yard.tags('s0')['stable']}`" in summary.read_text(encoding="utf-8")
    told = json.loads(file.read_text(encoding="utf-8"))
    assert {image["service"]: image["digest"] for image in told["images"]} == {
        service: yard.tags(service)["stable"] for service in yard.matrix.names
    }
    assert told["images"][0]["tags"] == [sha(yard), "main", "stable"]


def test_hooks_run_around_a_push(yard: Yard) -> None:
    file = yard.matrix.root / "hullwright.toml"
    hooks = '[hooks]\nbefore-push = "touch before"\nafter-push = "sh -c \'cat > after\'"\n'
    file.write_text(f"{file.read_text(encoding='utf-8')}{hooks}", encoding="utf-8")
    yard.matrix.commit()
    yard.push()
    assert (yard.matrix.root / "before").exists()
    told = json.loads((yard.matrix.root / "after").read_text(encoding="utf-8"))
    assert told["event"] == "after-push"
    assert [reference.rpartition("@")[2] for reference in told["references"]] == [
        yard.tags(service)["stable"] for service in yard.matrix.names
    ]


RELEASES = """
tags = [
  { type = "semver", pattern = "{{version}}" },
  { type = "semver", pattern = "{{major}}.{{minor}}" },
]
"""


def test_a_release_is_built_once_and_its_push_can_be_retried(busybox: str, tmp_path: Path) -> None:
    with yard_in(tmp_path, 2, tags=RELEASES) as yard:
        yard.matrix.repository.git("tag", "v1.1.0")
        yard.push("--ref", "v1.1.0")
        before = yard.all_tags()
        assert {tag.partition(":")[2] for tag in before} == {"1.1.0", "1.1", "latest"}
        clone = second_runner(yard, tmp_path)
        again = clone.matrix.json("push", "--ref", "v1.1.0")
        assert {t["reason"] for t in again["build"]["targets"]} == {
            "the registry holds this very release"
        }
        assert yard.all_tags() == before


def test_a_pull_takes_what_a_push_found_current_under_its_older_version(
    busybox: str, tmp_path: Path
) -> None:
    branch = 'tags = [{ type = "ref", event = "branch" }]\n'
    with yard_in(tmp_path, 1, tags=branch) as yard:
        yard.push()
        yard.matrix.repository.write("README.md", "A third commit.\n")
        yard.matrix.commit()
        assert "current" in yard.push()
        told = yard.matrix.json("pull")
        assert told["images"][0]["digest"] == yard.tags("s0")["main"]
        yard.matrix.change("s0")
        yard.matrix.commit()
        yard.matrix.run("pull", code=1)
