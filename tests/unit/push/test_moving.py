"""Moving tags: fixed ones first, all or none, and what is taken back when it fails."""

from __future__ import annotations

import os
import signal

import pytest

from hullwright.errors import CheckFailedError, UnavailableError, UsageError
from hullwright.push import Named, move, plan_moves
from pushing import Memory

HOST = "registry.example.com"
API = f"{HOST}/team/api"


@pytest.fixture
def memory() -> Memory:
    """Return a registry with an old image under two tags, and a new one without any."""
    made = Memory()
    made.add("team/api", "old", "1", "latest")
    made.add("team/api", "new")
    return made


def new(memory: Memory) -> str:
    return memory.add("team/api", "new")


def old(memory: Memory) -> str:
    return memory.add("team/api", "old")


def release(memory: Memory) -> list[Named]:
    return [Named(API, new(memory), fixed=("1.2.3", "sha-1"), moving=("1", "1.2", "latest"))]


def test_fixed_tags_come_first_and_all_name_one_digest(memory: Memory) -> None:
    plan = plan_moves({HOST: memory}, release(memory))
    report = move({HOST: memory}, plan)
    assert set(memory.puts[:2]) == {"1.2.3", "sha-1"}
    assert set(memory.puts[2:]) == {"1", "1.2", "latest"}
    assert set(memory.named("team/api").values()) == {new(memory)}
    assert [one.tag for one in report.moved] == ["1.2.3", "sha-1", "1", "1.2", "latest"]
    assert not report.failed
    assert report.window_s > 0


def test_what_is_there_already_is_no_conflict_and_is_left_alone(memory: Memory) -> None:
    memory.tags["team/api", "1.2.3"] = new(memory)
    memory.tags["team/api", "latest"] = new(memory)
    report = move({HOST: memory}, plan_moves({HOST: memory}, release(memory)))
    assert [one.tag for one in report.unchanged] == ["1.2.3", "latest"]
    assert sorted(memory.puts) == ["1", "1.2", "sha-1"]


def test_a_fixed_tag_of_another_image_is_refused_with_both_digests(memory: Memory) -> None:
    memory.tags["team/api", "1.2.3"] = old(memory)
    with pytest.raises(CheckFailedError) as raised:
        plan_moves({HOST: memory}, release(memory))
    told = str(raised.value)
    assert told.startswith(f"{API}:1.2.3 names another image already, so no tag was moved")
    assert f"1.2.3, there  {API}@{old(memory)}" in told
    assert f"1.2.3, here   {API}@{new(memory)}" in told
    assert memory.puts == []


def test_an_image_that_the_registry_lacks_is_refused(memory: Memory) -> None:
    with pytest.raises(CheckFailedError, match="the registry has no"):
        plan_moves({HOST: memory}, [Named(API, f"sha256:{'0' * 64}", moving=("x",))])


def test_one_tag_for_two_images_is_refused(memory: Memory) -> None:
    two = [Named(API, new(memory), moving=("x",)), Named(API, old(memory), moving=("x",))]
    with pytest.raises(UsageError, match=f"{API}:x would be the tag of two images"):
        plan_moves({HOST: memory}, two)


def failing_at(tag: str, error: BaseException) -> object:
    def fail(put: str) -> None:
        if put == tag:
            raise error

    return fail


@pytest.mark.parametrize("moment", ["before_put", "after_put"])
def test_a_failure_restores_what_moved_and_deletes_what_is_new(memory: Memory, moment: str) -> None:
    setattr(memory, moment, failing_at("1.2", UnavailableError("500", why="no disk")))
    report = move({HOST: memory}, plan_moves({HOST: memory}, release(memory)))
    assert report.failed
    assert report.failure.startswith("500")
    assert report.moved == ()
    assert memory.named("team/api") == {"1": old(memory), "latest": old(memory)}
    assert {"1.2.3", "sha-1"} <= {one.tag for one in report.deleted}
    assert {one.tag for one in report.restored} <= {"1", "latest"}
    assert report.left == ()


def test_new_tags_are_named_where_the_registry_deletes_none(memory: Memory) -> None:
    memory.deletes = False
    setattr(memory, "before_put", failing_at("1.2", UnavailableError("500")))  # noqa: B010  mypy: a method
    report = move({HOST: memory}, plan_moves({HOST: memory}, release(memory)))
    assert [left.move.tag for left in report.left] == ["1.2.3", "sha-1"]
    assert {left.why for left in report.left} == {"the registry deletes no single tags"}
    assert memory.named("team/api")["latest"] == old(memory)


def test_a_failure_of_a_fixed_tag_moves_no_moving_one(memory: Memory) -> None:
    setattr(memory, "before_put", failing_at("sha-1", UnavailableError("500")))  # noqa: B010  mypy: a method
    report = move({HOST: memory}, plan_moves({HOST: memory}, release(memory)))
    assert report.failed
    assert "latest" not in memory.puts
    assert memory.named("team/api") == {"1": old(memory), "latest": old(memory)}


def test_what_somebody_else_moved_since_is_theirs(memory: Memory) -> None:
    plan = plan_moves({HOST: memory}, release(memory))
    theirs = memory.add("team/api", "theirs")

    def fail(tag: str) -> None:
        if tag == "1.2":
            memory.tags["team/api", "latest"] = theirs
            raise UnavailableError("500")

    memory.before_put = fail
    report = move({HOST: memory}, plan)
    assert report.failed
    assert memory.named("team/api")["latest"] in {theirs, old(memory)}
    assert "1.2.3" not in memory.named("team/api")


def test_what_cannot_be_taken_back_is_said(memory: Memory) -> None:
    plan = plan_moves({HOST: memory}, release(memory))

    def fail(tag: str) -> None:
        if tag == "1.2" or memory.puts.count("latest") or memory.puts.count("1"):
            raise UnavailableError("the registry is gone", why="connection refused")

    memory.before_put = fail
    memory.deletes = False
    report = move({HOST: memory}, plan)
    assert report.failed
    for left in report.left:
        assert left.why in {
            "the registry is gone: connection refused",
            "the registry deletes no single tags",
        }
    assert {"1.2.3", "sha-1"} <= {left.move.tag for left in report.left}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_while_moving_takes_back_what_moved(
    memory: Memory, number: signal.Signals
) -> None:
    plan = plan_moves({HOST: memory}, release(memory))
    # The kernel hands it to this process; Python runs its handler in the main thread.
    memory.after_put = lambda tag: os.kill(os.getpid(), number) if tag == "sha-1" else None
    report = move({HOST: memory}, plan)
    assert report.interrupted
    assert report.failed
    assert memory.named("team/api") == {"1": old(memory), "latest": old(memory)}


def test_a_bug_while_moving_leaves_no_half_release(memory: Memory) -> None:
    plan = plan_moves({HOST: memory}, release(memory))
    setattr(memory, "before_put", failing_at("1.2", RuntimeError("a bug")))  # noqa: B010  mypy: a method
    with pytest.raises(RuntimeError, match="a bug"):
        move({HOST: memory}, plan)
    assert memory.named("team/api") == {"1": old(memory), "latest": old(memory)}


def test_something_else_stored_is_a_failure(memory: Memory) -> None:
    plan = plan_moves({HOST: memory}, release(memory))
    honest = memory.put_manifest
    memory.put_manifest = lambda *words: honest(*words) and "sha256:other"  # type: ignore[method-assign]  # a registry that rewrites
    report = move({HOST: memory}, plan)
    assert "stored something else" in report.failure
