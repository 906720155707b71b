"""What an image says of its version, and how it is asked."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest

from hullwright.config.models import Build, Config
from hullwright.errors import ExitCode, UnavailableError, UsageError
from hullwright.run import Result
from hullwright.tools.engine import LocalImage
from hullwright.version.model import assemble, derive, of_tag
from hullwright.version.verify import (
    container_argv,
    local_image,
    names_no_other_commit,
    names_version,
    verify,
)
from replaying import Replay, workspace

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.version.verify import Check

REVISION: Final = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
VERSION: Final = assemble(
    derive(of_tag("v1.2.3", "v"), distance=0, revision=REVISION, changed_tree=None),
    revision=REVISION,
    describe="v1.2.3",
    ref="HEAD",
    commit_date=datetime(2026, 11, 21, 8, 30, tzinfo=UTC),
    distance=0,
    dirty=False,
)
IMAGE: Final = LocalImage(
    f"sha256:{'a' * 64}",
    labels={
        "org.opencontainers.image.version": "1.2.3",
        "org.opencontainers.image.revision": REVISION,
        "org.opencontainers.image.created": "2026-11-21T08:30:00Z",
    },
)
WORDS: Final = ("web", "--version")


class Slow(Replay):
    """A runner whose containers never answer."""

    def read(self, *argv: str, **options: object) -> Result:
        if "run" in argv:
            raise UnavailableError("docker did not answer within 60 s")
        return super().read(*argv)


def asked(tmp_path: Path, answer: Result, *, version: str = "1.2.3") -> Check:
    """Return the check of an image that gives this answer."""
    runner = Replay({}, results={("docker", "run"): answer})
    wanted = replace(VERSION, version=version)
    return verify(workspace(tmp_path, None, runner), wanted, "web", IMAGE, WORDS).checks[-1]


def test_an_image_is_asked_without_network_and_leaves_nothing() -> None:
    assert container_argv("sha256:aa", ("web", "version", "-v"), "hullwright-version-1") == (
        *("docker", "run", "--rm", "--network", "none", "--read-only", "--pull", "never"),
        *("--name", "hullwright-version-1", "--label", "dev.hullwright.kind=throwaway"),
        *("--entrypoint", "web", "sha256:aa", "version", "-v"),
    )


def test_labels_that_agree_are_no_difference(tmp_path: Path) -> None:
    found = verify(workspace(tmp_path), VERSION, "web:1", IMAGE)
    assert [check.held for check in found.checks] == [True, True, True, None]
    assert found.differences == ()


def test_each_label_that_differs_or_lacks_is_named(tmp_path: Path) -> None:
    labels = {"org.opencontainers.image.version": "1.2.2\x1b[2J"}
    found = verify(workspace(tmp_path), VERSION, "web:1", LocalImage("sha256:aa", labels=labels))
    assert [(c.what.rpartition(".")[2], c.found) for c in found.differences] == [
        ("version", "1.2.2[2J"),
        ("revision", ""),
        ("created", ""),
    ]


def test_the_time_of_a_build_is_not_held_against_the_commits(tmp_path: Path) -> None:
    ws = workspace(tmp_path, Config("shop", build=Build(created="now")))
    image = replace(IMAGE, labels={**IMAGE.labels, "org.opencontainers.image.created": "2027"})
    assert verify(ws, VERSION, "web:1", image).differences == ()


@pytest.mark.parametrize(
    ("answer", "held"),
    [
        ("1.2.3\n", True),
        ("web v1.2.3 (linux)", True),
        ("VERSION='1.2.3'\nREVISION=x", True),
        ('{"version": "1.2.3"}', True),
        ("web 1.2.30", False),
        ("web 1.2.3-rc.1", False),
        ("11.2.3", False),
        ("", False),
    ],
)
def test_an_answer_names_the_version_as_a_word(tmp_path: Path, answer: str, *, held: bool) -> None:
    assert names_version(answer, "1.2.3") is held
    assert asked(tmp_path, Result(WORDS, 0, answer)).held is held


@pytest.mark.parametrize(
    ("answer", "held"),
    [
        ("web 1.2.3 (commit 1a2b3c4, built today)", True),
        ("web 1.2.3 (commit 1A2B3C4)", True),
        ('{"version": "1.2.3", "revision": "1a2b3c4d5e"}', True),
        ("web 1.2.3, GIT_COMMIT=1a2b3c4", True),
        ("web 1.2.3 (commit unknown)", True),
        ("web 1.2.3 (commit 2026-11-21, revision 7)", True),
        ("web 1.2.3 (commit 1a2b3c5)", False),
        ("web 1.2.3 (commit 1a2b3c4)\ncommit: 7654321", False),
        ('{"version": "1.2.3", "commit":"abcdef0"}', False),
        ("web 1.2.3, GIT_COMMIT=abcdef0", False),
    ],
)
def test_an_answer_names_no_other_commit(answer: str, *, held: bool) -> None:
    assert names_no_other_commit(answer, "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d") is held
    assert names_no_other_commit(answer, "")


def test_another_commit_is_another_binary_for_all_its_version(tmp_path: Path) -> None:
    assert not asked(tmp_path, Result(WORDS, 0, "web 1.2.3 (commit abcdef0)")).held


def test_a_version_with_metadata_is_one_word(tmp_path: Path) -> None:
    long = "1.2.4-0.dev.5+g1a2b3c4.dirty.0123abcd"
    assert asked(tmp_path, Result(WORDS, 0, f"web {long}"), version=long).held
    assert not asked(tmp_path, Result(WORDS, 0, f"web {long}"), version="1.2.4-0.dev.5").held


def test_an_answer_on_the_other_stream_counts(tmp_path: Path) -> None:
    assert asked(tmp_path, Result(WORDS, 0, "", "web 1.2.3")).held


def test_a_command_that_fails_is_a_difference_even_if_it_names_the_version(tmp_path: Path) -> None:
    check = asked(tmp_path, Result(WORDS, 127, "1.2.3", "no such file\n"))
    assert (check.what, check.held) == ("answer to web --version", False)
    assert check.found == "ended with 127: no such file"


def test_an_image_that_never_answers_is_removed(tmp_path: Path) -> None:
    runner = Slow({}, results={("docker", "rm"): Result((), 0)})
    found = verify(workspace(tmp_path, None, runner), VERSION, "web", IMAGE, WORDS)
    assert found.differences[0].found == "docker did not answer within 60 s"
    (removal,) = runner.calls
    assert removal.argv[:3] == ("docker", "rm", "--force")
    assert removal.argv[3].startswith("hullwright-version-")


def test_an_image_that_is_not_here_ends_with_2_and_is_not_fetched(tmp_path: Path) -> None:
    gone = Result((), 1, "[]", "No such image")
    runner = Replay({}, results={("docker", "image", "inspect"): gone})
    with pytest.raises(UsageError, match="shop:1 is not in the local store") as caught:
        local_image(workspace(tmp_path, None, runner), "shop:1")
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.next_step.startswith("docker pull shop:1")
    assert len(runner.calls) == 1


def test_an_image_that_is_here_tells_its_labels(tmp_path: Path) -> None:
    raw = json.dumps([{"Id": "sha256:aa", "Config": {"Labels": {"a": "b"}}}])
    answer = Result((), 0, raw)
    runner = Replay({}, results={("docker", "image", "inspect"): answer})
    assert local_image(workspace(tmp_path, None, runner), "shop:1").labels == {"a": "b"}
