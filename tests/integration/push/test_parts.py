"""One release by several runners: each pushes a part, and one that built nothing joins them."""

from __future__ import annotations

import json
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from buildkit import buildkitd
from composing import docker

from .conftest import Yard, yard_in

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker

BOTH = ("linux/amd64", "linux/arm64")
PLATFORMS = f"platforms = {json.dumps(BOTH)}\n"
# What a runner of another architecture would run; here the steps of both are copies only.
DOCKERFILE = "FROM scratch\nCOPY steps.sh /steps.sh\n"


def prepared(yard: Yard) -> Yard:
    """Let the images need no base, and commit that."""
    for name in yard.matrix.names:
        yard.matrix.repository.write(f"services/{name}/Dockerfile", DOCKERFILE)
    yard.matrix.commit()
    return yard


@pytest.fixture
def yard(busybox: str, tmp_path: Path) -> Iterator[Yard]:
    """Yield a repository of two services for two platforms."""
    with yard_in(tmp_path, 2, configuration=PLATFORMS) as made:
        yield prepared(made)


def runner(yard: Yard, folder: Path, name: str) -> Yard:
    """Return a clone, as a runner of CI has it."""
    clone = folder / name
    yard.matrix.repository.git("clone", "--quiet", str(yard.matrix.root), str(clone))
    repository = type(yard.matrix.repository)(clone, yard.matrix.environ)
    matrix = type(yard.matrix)(
        repository, yard.matrix.project, yard.matrix.names, yard.matrix.registry
    )
    return Yard(matrix, yard.proxy)


def told(yard: Yard, *words: str, code: int = 0, **more: str) -> Any:
    """Push, and return the machine form."""
    return yard.matrix.json("push", *words, code=code, **more)


def statuses(report: Any) -> dict[str, str]:
    """Return the status of each service's image."""
    return {target["service"]: target["status"] for target in report["build"]["targets"]}


def test_three_runners_make_one_release(yard: Yard, tmp_path: Path) -> None:
    first, second, third = (runner(yard, tmp_path, name) for name in ("one", "two", "three"))
    amd = told(first, "--part", "--platform", "linux/amd64")
    assert (amd["pushed"], amd["part"], amd["tags"]) == (False, "linux/amd64", [])
    assert statuses(amd) == {"s0": "built", "s1": "built"}
    early = third.matrix.run("push", "--join", code=1)
    assert "2 parts are not in the registry, so no tag was changed" in early.stderr
    assert "invoke push --part --platform linux/arm64 --service s0,s1" in early.stderr
    assert yard.all_tags() == {}
    told(second, "--part", "--platform", "linux/arm64")
    assert yard.all_tags() == {}
    third.matrix.remove()
    joined = told(third, "--join")
    assert joined["pushed"] is True
    assert statuses(joined) == {"s0": "joined", "s1": "joined"}
    assert third.matrix.images() == []
    for image in joined["images"]:
        assert set(image["platforms"]) == set(BOTH)
        assert set(yard.tags(image["service"]).values()) == {image["digest"]}
        document = yard.document(image["service"], "main")
        fingerprint = document["annotations"]["dev.hullwright.fingerprint"]
        assert fingerprint == image["fingerprint"]
        assert document["annotations"]["org.opencontainers.image.version"] == joined["version"]
    # What was joined is what a push from one machine would have made: it is current there.
    whole = told(first)
    assert statuses(whole) == {"s0": "current", "s1": "current"}
    assert {tag["status"] for tag in whole["tags"]} == {"unchanged"}
    again = told(third, "--join")
    assert statuses(again) == {"s0": "current", "s1": "current"}
    assert [image["digest"] for image in again["images"]] == [
        image["digest"] for image in joined["images"]
    ]


def part(yard: Yard, platform: str, *words: str, code: int = 0) -> Any:
    """Push a part for a platform, and return the machine form."""
    return told(yard, "--part", "--platform", platform, *words, code=code)


def parts(yard: Yard) -> None:
    """Push the parts of all images for both platforms."""
    for platform in BOTH:
        part(yard, platform)


def rows(yard: Yard, *words: str) -> list[tuple[str, str]]:
    """Return service and platform of each job that is told to CI."""
    include = yard.matrix.json("ci.matrix", *words)["include"]
    return [(row["service"], row["platform"]) for row in include]


def test_only_what_changed_is_built_and_the_rest_is_taken_as_it_is(
    yard: Yard, tmp_path: Path
) -> None:
    every = [(service, platform) for service in ("s0", "s1") for platform in BOTH]
    assert rows(yard) == every
    assert rows(yard, "--missing") == every
    assert rows(yard, "--split", "platform") == [("s0,s1", platform) for platform in BOTH]
    part(yard, "linux/amd64", "--service", "s0")
    assert rows(yard, "--missing") == every[1:]
    # A runner that builds all platforms of a service pushes it as a whole.
    whole = told(yard, "--part", "--service", "s1")
    assert whole["part"] == "all of its platforms"
    assert rows(yard, "--missing") == [("s0", "linux/arm64")]
    part(yard, "linux/arm64", "--service", "s0")
    assert rows(yard, "--missing") == []
    first = told(yard, "--join")
    assert statuses(first) == {"s0": "joined", "s1": "current"}
    yard.matrix.change("s0")
    yard.matrix.commit()
    clone = runner(yard, tmp_path, "clone")
    changed = [("s0", platform) for platform in BOTH]
    assert rows(clone, "--changed-since", "HEAD~1") == changed
    assert rows(clone, "--missing") == changed
    assert statuses(part(clone, "linux/amd64")) == {"s0": "built", "s1": "current"}
    part(clone, "linux/arm64", "--service", "s0")
    # The same part again is there already.
    assert statuses(part(clone, "linux/arm64", "--service", "s0")) == {"s0": "current"}
    second = told(clone, "--join")
    assert statuses(second) == {"s0": "joined", "s1": "current"}
    assert second["images"][1]["digest"] == first["images"][1]["digest"]
    assert second["images"][1]["version"] == first["images"][1]["version"]


def test_a_part_of_a_changed_tree_is_none_of_the_commits(yard: Yard, tmp_path: Path) -> None:
    clean, dirty = runner(yard, tmp_path, "clean"), runner(yard, tmp_path, "dirty")
    dirty.matrix.repository.write("notes.txt", "What no image is made from.\n")
    part(clean, "linux/amd64")
    part(dirty, "linux/arm64", "--service", "s0")
    (dirty.matrix.root / "notes.txt").unlink()
    # Nor is one of the same commit that was built in another way.
    part(dirty, "linux/arm64", "--service", "s1", "--build-arg", "FLAVOUR=other")
    done = clean.matrix.run("push", "--join", "--format", "json", code=1)
    missing = "2 parts are not in the registry, so no tag was changed"
    assert json.loads(done.stdout)["failure"] == missing
    assert missing in done.stderr
    first, second = (
        next(line for line in done.stderr.splitlines() if line.startswith(f"  {name} linux/arm64"))
        for name in clean.matrix.names
    )
    assert "one of these inputs is there, which says" in first
    assert ".dirty" in first
    assert "one of this version is there, of other inputs" in second
    assert yard.all_tags() == {}


def test_a_join_that_fails_or_is_interrupted_changes_no_tag_and_can_be_repeated(
    yard: Yard, tmp_path: Path
) -> None:
    file = yard.matrix.root / "hullwright.toml"
    gate = """[push]\ngates = ["sh -c 'exit ${REFUSE:-0}'"]\n"""
    file.write_text(f"{file.read_text(encoding='utf-8')}{gate}", encoding="utf-8")
    yard.matrix.commit()
    parts(yard)
    refused = yard.matrix.run("push", "--join", code=1, REFUSE="7")
    assert "a gate refused this release: it ended with 7" in refused.stderr
    assert yard.all_tags() == {}
    held = yard.proxy.hold(method="PUT", path=r"/manifests/sha256:")
    with yard.matrix.start("push", "--join") as process:
        assert held.reached.wait(120)
        process.send_signal(signal.SIGINT)
        held.go()
        process.communicate(timeout=120)
    assert process.returncode == 130
    assert yard.all_tags() == {}
    # Two runs that were started for one commit give the same digests, whoever is first.
    clones = [runner(yard, tmp_path, name) for name in ("one", "two")]
    runs = [clone.matrix.start("push", "--join", "--format", "json") for clone in clones]
    reports = [json.loads(process.communicate(timeout=300)[0]) for process in runs]
    assert [process.returncode for process in runs] == [0, 0]
    first, second = ([image["digest"] for image in report["images"]] for report in reports)
    assert first == second
    assert set(yard.all_tags().values()) == set(first)


def test_a_dry_run_tells_of_parts_and_changes_nothing(yard: Yard) -> None:
    part(yard, "linux/amd64", "--service", "s0")
    seen = len(yard.proxy.seen)
    done = yard.matrix.run("--dry", "push", "--part", "--platform", "linux/arm64")
    head = "push a part of 2 images, by digest, without any tag: linux/arm64\n"
    assert done.stdout.startswith(head)
    assert "platforms  linux/arm64" in done.stdout
    done = yard.matrix.run("--dry", "push", "--join")
    assert "join what the registry has; nothing is built" in done.stdout
    assert "joined of linux/amd64 sha256:" in done.stdout
    assert "linux/arm64 missing (hullwright-" in done.stdout
    assert not [each for each in yard.proxy.seen[seen:] if each.method not in {"GET", "HEAD"}]


def test_what_cannot_be_meant_is_refused(yard: Yard) -> None:
    done = yard.matrix.run("push", "--part", "--platform", "linux/riscv64", code=2)
    assert "no image that is asked for is for linux/riscv64" in done.stderr
    assert "linux/amd64, linux/arm64" in done.stderr
    done = yard.matrix.run("push", "--join", "--platform", "linux/amd64", code=2)
    assert "--join and --platform cannot be meant together" in done.stderr
    done = yard.matrix.run("ci.matrix", "--platform", "linux/arm65", code=2)
    assert 'unknown platform "linux/arm65"' in done.stderr


def test_a_part_stands_on_the_sibling_that_was_released(busybox: str, tmp_path: Path) -> None:
    with yard_in(tmp_path, 1, configuration=PLATFORMS) as yard:
        repository, project = yard.matrix.repository, yard.matrix.project
        repository.write("services/s0/Dockerfile", DOCKERFILE)
        name = f"{yard.matrix.registry}/{project}/s0"
        repository.write("services/top/Dockerfile", f"FROM {name}\nCOPY top.txt /top.txt\n")
        repository.write("services/top/top.txt", project)
        lines = (
            "[services.top]",
            'context = "services/top"',
            'dockerfile = "services/top/Dockerfile"',
            f'image = "{project}/top"',
        )
        text = (yard.matrix.root / "hullwright.toml").read_text(encoding="utf-8")
        repository.write("hullwright.toml", "\n".join([text.rstrip(), *lines, ""]))
        yard.matrix.commit()
        pushed = {}
        for platform in BOTH:
            (only,) = part(yard, platform, "--service", "s0")["images"]
            pushed[platform] = only["digest"]
            # Another machine: what the first runner pushed is what its part stands on.
            yard.matrix.remove()
            report = part(yard, platform, "--service", "top")
            found = {t["service"]: (t["status"], t["digest"]) for t in report["build"]["targets"]}
            assert found["s0"] == ("current", pushed[platform])
        first = told(yard, "--join")
        assert statuses(first) == {"s0": "joined", "top": "joined"}
        yard.matrix.remove()
        repository.write("services/top/top.txt", "another")
        yard.matrix.commit()
        for platform in BOTH:
            report = part(yard, platform, "--service", "top")
            found = {t["service"]: (t["status"], t["digest"]) for t in report["build"]["targets"]}
            assert found["top"][0] == "built"
            assert found["s0"] == ("current", first["images"][0]["digest"])
        assert statuses(told(yard, "--join")) == {"s0": "current", "top": "joined"}


def test_parts_of_remote_builders_keep_their_attestations(busybox: str, tmp_path: Path) -> None:
    attested = f'{PLATFORMS}[build]\nattestations = ["provenance"]\n'
    with (
        tempfile.TemporaryDirectory(prefix="hwbk-") as folder,
        buildkitd(Path(folder)) as daemon,
        yard_in(tmp_path, 1, configuration=attested) as yard,
    ):
        prepared(yard)
        builder = f"{yard.matrix.project}-remote"
        docker("buildx", "create", "--name", builder, "--driver", "remote", daemon)
        try:
            for platform in BOTH:
                words = ("--part", "--platform", platform)
                assert statuses(told(yard, *words, BUILDX_BUILDER=builder)) == {"s0": "built"}
                again = told(yard, *words, BUILDX_BUILDER=builder)
                assert statuses(again) == {"s0": "current"}
            (image,) = told(yard, "--join", BUILDX_BUILDER=builder)["images"]
        finally:
            docker("buildx", "rm", builder)
        assert image["attestations"] == ["provenance"]
        entries = yard.document("s0", "main")["manifests"]
        own = [entry["digest"] for entry in entries if "annotations" not in entry]
        of = [
            e["annotations"]["vnd.docker.reference.digest"] for e in entries if "annotations" in e
        ]
        assert list(image["platforms"].values()) == own == of


def test_another_stage_is_released_beside_the_default_one(yard: Yard) -> None:
    text = "FROM scratch AS development\nCOPY steps.sh /steps.sh\nFROM development AS production\n"
    yard.matrix.repository.write("services/s0/Dockerfile", text)
    yard.matrix.commit()
    words = ("--service", "s0", "--target", "development")
    done = yard.matrix.run("push", "--join", *words, code=1)
    assert (
        "invoke push --part --platform linux/amd64 --service s0 --target development" in done.stderr
    )
    for platform in BOTH:
        part(yard, platform, *words)
    (image,) = told(yard, "--join", *words)["images"]
    assert {"main-development", "stable-development"} < set(yard.tags("s0"))
    assert set(yard.tags("s0").values()) == {image["digest"]}
