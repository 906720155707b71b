"""What stops a push, with its exit code and words, and what does not: a registry's bad moments."""

from __future__ import annotations

import fcntl
import json
from typing import TYPE_CHECKING

import pytest

from composing import docker
from flaky import denied

from .conftest import LOGIN, Yard, sha, yard_in

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.docker


def test_a_registry_that_fails_now_and_then_is_survived(yard: Yard) -> None:
    yard.proxy.answer(503, method="POST", path=r"/blobs/uploads/", times=2)
    yard.proxy.answer(429, method="PUT", path=r"/manifests/sha-", headers={"Retry-After": "0"})
    yard.proxy.answer(500, method="PUT", path=r"/manifests/main$")
    yard.proxy.cut(500, method="PATCH", uploading=True)
    yard.proxy.cut(0, method="GET", path=r"/manifests/sha256:")
    yard.push()
    assert {seen.status for seen in yard.proxy.seen if seen.scripted} == {503, 429, 500, 0}
    assert len(yard.all_tags()) == 2 * 3


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "invoke login --registry"), (403, "you are a guest here")],
    ids=["no login", "denied"],
)
def test_a_refusal_comes_before_any_build(yard: Yard, status: int, words: str) -> None:
    body = denied("you are a guest here")
    yard.proxy.answer(status, path=r"/blobs/uploads/", times=None, body=body)
    told = yard.push(code=3)
    assert words in told
    assert yard.matrix.images() == []


def test_a_full_registry_is_told_in_its_words(yard: Yard) -> None:
    body = denied("quota of team exceeded")
    yard.proxy.answer(403, method="PUT", path=r"/manifests/", times=None, body=body)
    told = yard.push(code=3)
    assert "quota of team exceeded" in told
    assert yard.all_tags() == {}


def test_an_attestation_that_nobody_asked_for_is_refused(yard: Yard) -> None:
    told = yard.push("--set", "*.attest=type=provenance,mode=min", code=1)
    assert "provenance is attached (as platform unknown/unknown), and was not asked for" in told
    assert yard.all_tags() == {}


def test_an_image_on_a_stand_in_is_refused_unless_it_is_allowed(yard: Yard) -> None:
    file = yard.matrix.root / "services/s1/Dockerfile"
    with file.open("a", encoding="utf-8") as lines:
        lines.write("LABEL dev.hullwright.stand-in=python:3.13-slim\n")
    yard.matrix.commit()
    told = yard.push(code=2)
    assert "made on a stand-in for python:3.13-slim" in told
    assert yard.all_tags() == {}
    yard.push("--allow-stand-ins")
    assert len(yard.all_tags()) == 2 * 3


def test_a_base_that_is_a_stand_in_is_refused_before_any_build(yard: Yard, tmp_path: Path) -> None:
    base = f"{yard.matrix.project}/base:1"
    text = "FROM scratch\nCOPY Dockerfile /\nLABEL dev.hullwright.stand-in=python:3.13-slim\n"
    (tmp_path / "base").mkdir()
    (tmp_path / "base/Dockerfile").write_text(text, encoding="utf-8")
    docker("buildx", "build", "--quiet", "--load", "--tag", base, str(tmp_path / "base"))
    try:
        written = f"FROM {base}\nCOPY steps.sh /\n"
        yard.matrix.repository.write("services/s1/Dockerfile", written)
        yard.matrix.commit()
        told = yard.push(code=2)
        assert "s1    made on a stand-in for python:3.13-slim" in told
        assert yard.matrix.images() == []
    finally:
        docker("image", "rm", base)


def test_one_push_at_a_time(yard: Yard) -> None:
    state = yard.matrix.root / ".hullwright"
    state.mkdir()
    with (state / "release.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        told = yard.push(code=4)
    assert f"the release of {yard.matrix.project} is in use by another run" in told


def test_without_a_registry_or_a_tag_nothing_is_built(yard: Yard) -> None:
    assert "--failed builds only what is not in" in yard.push("--failed", "--force", code=2)
    told = yard.push("--ref", "v1.0.0", code=2)
    assert "v1.0.0 is another commit than the one that would be built" in told
    file = yard.matrix.root / "hullwright.toml"
    text = file.read_text(encoding="utf-8")
    only_tags = text.replace('{ type = "sha" },', "").replace(
        '{ type = "raw", value = "stable" },', ""
    )
    file.write_text(only_tags.replace('"branch"', '"tag"'), encoding="utf-8")
    assert "has no tag on refs/heads/main, so it cannot be pushed" in yard.push(code=2)
    file.write_text("\n".join(text.splitlines()[:1] + text.splitlines()[2:]), encoding="utf-8")
    assert "there is no registry to push to" in yard.push(code=2)
    missing = yard.matrix.run("ci.matrix", "--missing", code=2).stderr
    assert "there is no registry to push to" in missing
    assert yard.matrix.images() == []


def test_an_override_of_where_images_go_is_refused(yard: Yard) -> None:
    told = yard.push("--set", "*.output=type=local,dest=out", code=2)
    assert "a push decides where images go" in told
    assert yard.matrix.images() == []


def test_the_login_that_docker_has_stored_is_used_on_both_ways(
    busybox: str, tmp_path: Path
) -> None:
    with yard_in(tmp_path, 1, login=True) as yard:
        settings = tmp_path / "docker"
        settings.mkdir()
        told = yard.push(code=3, DOCKER_CONFIG=str(settings))
        assert f"{yard.proxy.address} wants a login" in told
        stored = {"auths": {yard.proxy.address: {"auth": LOGIN}}}
        (settings / "config.json").write_text(json.dumps(stored), encoding="utf-8")
        told = yard.push(DOCKER_CONFIG=str(settings))
        assert set(yard.tags("s0")) == {sha(yard), "main", "stable"}
        assert LOGIN not in told


def test_a_changed_tree_gets_no_tag_of_a_version(busybox: str, tmp_path: Path) -> None:
    with yard_in(tmp_path, 1, tags='tags = [{ type = "ref", event = "tag" }]\n') as yard:
        yard.matrix.repository.git("tag", "v1.1.0")
        yard.matrix.change("s0")
        told = yard.push("--ref", "v1.1.0", code=2)
        assert "a changed tree gets no tag of a version" in told
        assert yard.matrix.images() == []
        assert yard.all_tags() == {}


def test_what_fails_after_the_tags_says_that_they_have_moved(busybox: str, tmp_path: Path) -> None:
    gate = '[push]\ngates = ["rmdir out"]\n'
    with yard_in(tmp_path, 1, configuration=gate) as yard:
        (yard.matrix.root / "out").mkdir()
        told = yard.push("--release-file", "out/release.json", code=1)
        assert "every tag names this release" in told
        assert "3 tags of 1 image moved" in told
        assert len(yard.all_tags()) == 3


def test_jobs_that_the_registry_lacks_are_not_told_without_its_answer(yard: Yard) -> None:
    # Nobody listens on port 1.
    silent = {"HULLWRIGHT_REGISTRY": "127.0.0.1:1/team"}
    done = yard.matrix.run("ci.matrix", "--missing", code=3, **silent)
    assert "127.0.0.1:1 cannot be reached" in done.stderr
    assert done.stdout == ""
