"""Content on its way to a registry: what is sent, sent again, given up, and cleared up."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hullwright.errors import CheckFailedError, UnavailableError
from hullwright.outcome import Result
from hullwright.push import Stager, remove_staging_tags
from pushing import Memory, digest_of
from replaying import Replay, workspace

from .conftest import API, FINGERPRINT, HOST, content

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TAG = f"hullwright-{FINGERPRINT[:32]}"
STAGED = f"{API}:{TAG}"


class Engine(Replay):
    """An engine whose pushes arrive in a registry in memory, after so many failures."""

    arrives: Callable[[], object]
    failures: list[str]
    started: list[tuple[str, ...]]

    def run(self, *argv: str, **more: object) -> Result:
        self.started.append(argv)
        if argv[:2] != ("docker", "push"):
            return Result(argv, 0)
        if self.failures:
            return Result(argv, 1, "", self.failures.pop(0))
        self.arrives()
        return Result(argv, 0)


def stager(tmp_path: Path, memory: Memory, *failures: str) -> tuple[Stager, Engine, list[float]]:
    """Return a stager, its engine, and the seconds that it waited."""
    engine, waited = Engine({}), list[float]()
    engine.failures, engine.started = list(failures), []
    engine.arrives = lambda: memory.add("team/api", "image", TAG)
    ws = workspace(tmp_path, runner=engine)

    def pause(seconds: float) -> bool:
        waited.append(seconds)
        return False

    return Stager(ws, {HOST: memory}, pause), engine, waited


def test_an_image_of_the_local_store_goes_out_under_its_staging_tag(
    tmp_path: Path, memory: Memory
) -> None:
    digest = Memory().add("team/api", "image")
    stage, engine, _ = stager(tmp_path, memory)
    (staged,) = stage.stage([content(digest, local=f"{API}:1.2.3")])
    assert staged.staged
    assert staged.digest == digest
    assert engine.started == [
        ("docker", "tag", digest, STAGED),
        ("docker", "push", "--quiet", STAGED),
        ("docker", "image", "rm", STAGED),
    ]


def test_the_digest_of_a_classic_store_is_the_registrys(tmp_path: Path, memory: Memory) -> None:
    stage, _, _ = stager(tmp_path, memory)
    (staged,) = stage.stage([content(digest_of(b"a config"), local=f"{API}:1.2.3")])
    assert staged.digest == memory.tags["team/api", TAG]


def test_what_the_registry_has_is_not_sent_again(tmp_path: Path, memory: Memory) -> None:
    digest = memory.add("team/api", "image", "1.0")
    stage, engine, _ = stager(tmp_path, memory)
    (staged,) = stage.stage([content(digest, local=f"{API}:1.2.3", status="current")])
    assert staged.staged
    assert engine.started == []
    assert memory.puts == []


def test_what_a_builder_pushed_by_digest_gets_its_staging_tag(
    tmp_path: Path, memory: Memory
) -> None:
    digest = memory.add("team/api", "image")
    stage, engine, _ = stager(tmp_path, memory)
    stage.stage([content(digest)])
    assert memory.tags == {("team/api", TAG): digest}
    assert engine.started == []


def test_content_that_is_nowhere_is_a_failure(tmp_path: Path, memory: Memory) -> None:
    stage, _, _ = stager(tmp_path, memory)
    with pytest.raises(CheckFailedError, match="api production is not where its build said"):
        stage.stage([content(digest_of(b"x"))])


def test_a_push_that_fails_for_a_while_is_tried_again(tmp_path: Path, memory: Memory) -> None:
    stage, _, waited = stager(tmp_path, memory, "received unexpected HTTP status: 503", "EOF")
    (staged,) = stage.stage([content(digest_of(b"x"), local="x")])
    assert staged.staged
    assert len(waited) == 2
    assert waited[0] < waited[1]


def test_a_push_that_fails_for_long_ends_with_the_words_of_the_registry(
    tmp_path: Path, memory: Memory
) -> None:
    stage, engine, waited = stager(tmp_path, memory, *["broken pipe"] * 9)
    with pytest.raises(UnavailableError) as raised:
        stage.stage([content(digest_of(b"x"), local="x")])
    assert str(raised.value).startswith(f"{API} could not be pushed to\n  said   broken pipe")
    assert "5 times" in str(raised.value)
    assert len(waited) == 4
    # The local name of it goes all the same.
    assert engine.started[-1] == ("docker", "image", "rm", STAGED)


@pytest.mark.parametrize("words", ["denied: quota exceeded", "unauthorized: no", "403 Forbidden"])
def test_a_refusal_is_not_tried_again(tmp_path: Path, memory: Memory, words: str) -> None:
    stage, _, waited = stager(tmp_path, memory, words)
    with pytest.raises(UnavailableError, match="could not be pushed to") as raised:
        stage.stage([content(digest_of(b"x"), local="x")])
    assert words in str(raised.value)
    assert waited == []


def test_a_registry_that_tells_why_is_heard_first(tmp_path: Path, memory: Memory) -> None:
    memory.denied = "insufficient scope"
    stage, _, waited = stager(tmp_path, memory, "EOF")
    with pytest.raises(UnavailableError, match="insufficient scope"):
        stage.stage([content(digest_of(b"x"), local="x")])
    assert waited == []


def removed(memory: Memory, digest: str) -> dict[str, str]:
    """Remove the staging tag of a release `1.2.3`; returns what stays."""
    return remove_staging_tags({HOST: memory}, [content(digest)], lambda _: ["1.2.3"])


def test_staging_tags_are_removed_by_tag_only(memory: Memory) -> None:
    digest = memory.add("team/api", "image", TAG, "1.2.3")
    assert removed(memory, digest) == {}
    assert memory.tags == {("team/api", "1.2.3"): digest}


def test_staging_tags_stay_where_the_registry_deletes_none(memory: Memory) -> None:
    digest = memory.add("team/api", "image", TAG)
    memory.deletes = False
    left = removed(memory, digest)
    assert list(left) == [STAGED]
    assert "removes no single tags" in left[STAGED]


def test_a_registry_that_takes_the_image_with_its_tag_gets_it_back(memory: Memory) -> None:
    digest = memory.add("team/api", "image", TAG, "1.2.3")
    memory.whole = True
    left = removed(memory, digest)
    assert "removes an image with any of its tags" in left[STAGED]
    assert memory.named("team/api") == {"1.2.3": digest, TAG: digest}
    assert memory.manifest("team/api", "1.2.3") is not None


def test_an_image_without_a_staging_tag_leaves_none(memory: Memory) -> None:
    memory.deletes = False
    digest = memory.add("team/api", "image", "1.2.3")
    assert removed(memory, digest) == {}


def test_the_names_of_parts_go_and_what_they_name_stays(memory: Memory) -> None:
    part, digest = memory.add("team/api", "part", "hullwright-p"), memory.add("team/api", "whole")
    memory.tags["team/api", "1.2.3"] = digest
    joined = replace(content(digest, status="joined"), staging=("hullwright-p", "hullwright-q"))
    assert remove_staging_tags({HOST: memory}, [joined], lambda _: ["1.2.3"]) == {}
    assert memory.named("team/api") == {"1.2.3": digest}
    assert memory.manifest("team/api", part) is not None


def test_a_part_that_goes_with_its_name_is_put_back_under_that_name_only(memory: Memory) -> None:
    part, digest = memory.add("team/api", "part", "hullwright-p"), memory.add("team/api", "whole")
    memory.tags["team/api", "1.2.3"] = digest
    memory.whole = True
    joined = replace(content(digest, status="joined"), staging=("hullwright-p",))
    left = remove_staging_tags({HOST: memory}, [joined], lambda _: ["1.2.3"])
    assert list(left) == [f"{joined.repository}:hullwright-p"]
    assert memory.named("team/api") == {"1.2.3": digest, "hullwright-p": part}


def test_after_ctrl_c_nothing_is_tried_again(tmp_path: Path, memory: Memory) -> None:
    stage, engine, waited = stager(tmp_path, memory, *["signal: interrupt"] * 9)
    held = threading.Event()
    honest = memory.check_push

    def check(repository: str, /) -> None:
        # The first failure comes with the Ctrl-C that caused it.
        if not held.is_set():
            held.set()
            os.kill(os.getpid(), signal.SIGINT)
        honest(repository)

    memory.check_push = check  # type: ignore[method-assign]  # a registry that is told of
    stage.pause = None
    contents = [content(digest_of(word), local="x") for word in (b"x", b"y")]
    with pytest.raises(KeyboardInterrupt):
        stage.stage(contents)
    assert waited == []
    assert sum(words[1] == "push" for words in engine.started) < 9
