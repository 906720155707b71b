"""Parts of a release among other things: siblings, stages, other builders, what goes wrong."""

from __future__ import annotations

import json
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from buildkit import buildkitd
from composing import docker

from .conftest import Yard, yard_in
from .parting import BOTH, DOCKERFILE, PLATFORMS, part, parts, prepared, runner, statuses, told

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker


@pytest.fixture
def yard(busybox: str, tmp_path: Path) -> Iterator[Yard]:
    """Yield a repository of two services for two platforms."""
    with yard_in(tmp_path, 2, configuration=PLATFORMS) as made:
        yield prepared(made)


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
