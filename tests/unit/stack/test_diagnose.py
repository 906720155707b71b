"""From evidence to a cause: what the engine knows comes before what a log says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hullwright.stack.diagnose import diagnose
from hullwright.stack.evidence import Evidence, Peer
from hullwright.stack.symptoms import Symptom
from hullwright.tools.details import Details, LogLine, Mount, Owner
from hullwright.tools.engine import Container, ProbeResult

if TYPE_CHECKING:
    from hullwright.stack.diagnose import Diagnosis

SHOWN = Container(
    id="id", name="x-app-1", service="app", number=1, project="x", image="i", image_id="sha256:1",
    state="exited", pid=0, exit_code=1, oom_killed=False, error="", restarts=0,
    restart_policy="no", created_at=0.5, started_at=1.0, finished_at=2.0,
)  # fmt: skip
OURS = Details(platform="linux/amd64", networks=frozenset({"x_default"}))
CRASH = Evidence(
    "app", "crash", exit_code=1, deaths=1, container=SHOWN, details=OURS, engine="linux/amd64"
)
VOLUME = Mount("volume", "x_data", "/data")


def said(kind: str, subject: str = "", *, of: Evidence = CRASH) -> Evidence:
    return replace(of, symptom=Symptom(kind, subject, f"{subject}: {kind}"))


def refused(error: str) -> Evidence:
    return replace(CRASH, verdict="cannot-start", container=replace(SHOWN, error=error))


def cause(evidence: Evidence) -> str:
    return diagnose(evidence).cause


def test_nothing_known_is_what_the_wait_saw() -> None:
    found = diagnose(CRASH)
    assert (found.cause, found.sentence, found.facts) == (
        "crash",
        "app crashed: it ended with 1",
        (),
    )


@pytest.mark.parametrize(
    ("error", "expected", "sentence"),
    [
        (
            'runc create failed: exec: "serve": executable file not found in $PATH',
            "command-not-found",
            'app cannot start: its image has no "serve"',
        ),
        (
            'runc create failed: exec: "/opt/x": stat /opt/x: no such file or directory: unknown',
            "command-not-found",
            'app cannot start: its image has no "/opt/x"',
        ),
        (
            'runc create failed: exec: "/run.sh": permission denied: unknown',
            "permission-denied",
            'app cannot start: "/run.sh" is not executable',
        ),
        (
            "Bind for 127.0.0.1:8080 failed: port is already allocated",
            "port-taken",
            "app cannot have port 8080: it is already taken",
        ),
        ("mkdir /var/lib/docker/x: no space left on device", "disk-full", "no space is left"),
        (
            'error mounting "/x" to rootfs at "/data": mkdir /data: read-only file system',
            "read-only",
            "a place in it is read-only",
        ),
        ("network x not found", "cannot-start", "app could not be started"),
    ],
)
def test_the_engine_s_refusal_has_its_cause(error: str, expected: str, sentence: str) -> None:
    found = diagnose(refused(error))
    assert found.cause == expected
    assert found.sentence.endswith(sentence)


def test_who_has_the_port_is_told() -> None:
    taken = replace(refused("Bind for :::80 failed: port is already allocated"), holder="nginx")
    assert diagnose(taken).facts == (("held by", "nginx"),)


def test_the_kernel_s_kill_comes_before_any_line() -> None:
    killed = replace(said("disk-full", "/x"), oom=True, exit_code=137)
    found = diagnose(replace(killed, details=replace(OURS, memory_bytes=64_000_000)))
    assert found.cause == "out-of-memory"
    assert found.sentence == "app ran out of memory: the kernel ended it"
    assert found.facts == (("limit", "64.0 MB"),)


def test_a_kill_without_the_kernel_s_word_is_a_crash() -> None:
    found = diagnose(replace(CRASH, exit_code=137))
    assert (found.cause, found.sentence) == (
        "crash", "app crashed: it ended with 137 (ended by SIGKILL)",
    )  # fmt: skip


def test_a_format_that_the_kernel_does_not_know_is_told_by_the_image_s_platform() -> None:
    foreign = replace(said("exec-format", "/x"), details=replace(OURS, platform="linux/s390x"))
    assert (
        "its image is for linux/s390x, and the engine runs linux/amd64"
        in diagnose(foreign).sentence
    )
    own = diagnose(said("exec-format", "/x"))
    assert own.cause == "wrong-platform"
    assert "is a script without #!" in own.sentence
    assert "#!/bin/sh" in own.advice


@pytest.mark.parametrize(
    ("image", "engine", "emulated"),
    [
        ("linux/arm64/v8", "linux/amd64", True),
        ("linux/amd64", "linux/amd64", False),
        ("linux/386", "linux/amd64", False),
        ("linux/arm/v7", "linux/arm64", False),
        ("linux/arm64", "linux/arm64", False),
        ("", "linux/amd64", False),
        ("linux/arm64", "", False),
    ],
)
def test_an_image_of_another_processor_explains_what_nothing_else_does(
    image: str, engine: str, *, emulated: bool
) -> None:
    foreign = replace(CRASH, details=replace(OURS, platform=image), engine=engine)
    assert (cause(foreign) == "wrong-platform") is emulated
    assert cause(said("disk-full", "/x", of=foreign)) == "disk-full"


@pytest.mark.parametrize(("code", "expected"), [(127, "command-not-found"),
                                                (126, "permission-denied")])  # fmt: skip
def test_a_shell_s_code_says_it_without_any_line(code: int, expected: str) -> None:
    found = diagnose(replace(CRASH, exit_code=code))
    assert found.cause == expected
    assert found.sentence.startswith(f"app ended with {code}: a command in it")


def test_a_volume_of_another_user_is_told_with_both() -> None:
    denied = replace(
        said("permission-denied", "/data/x"),
        details=replace(OURS, mounts=(VOLUME,), user="1000"),
        owner=Owner("/data", 0, 0, 0o755),
        user=1000,
    )
    found = diagnose(denied)
    assert found.cause == "volume-owner"
    assert found.sentence.endswith(
        "by its last lines, it was denied /data/x, which belongs to user 0"
    )
    assert dict(found.facts) == {
        "mount": "/data is the volume x_data",
        "owner": "/data belongs to 0:0, mode 755",
        "user": "1000",
        "said": "/data/x: permission-denied",
    }


def test_a_mount_of_its_own_is_not_the_reason() -> None:
    denied = replace(
        said("permission-denied", "/data/x"),
        details=replace(OURS, mounts=(VOLUME,), user="app"),
        owner=Owner("/data", 1000, 1000, 0o755),
        user=1000,
    )
    assert cause(denied) == "permission-denied"


def test_what_is_denied_beside_the_mounts_is_no_volume_s() -> None:
    denied = replace(
        said("permission-denied", "/database"), details=replace(OURS, mounts=(VOLUME,))
    )
    assert cause(denied) == "permission-denied"


def test_a_variable_that_has_a_value_is_not_missing() -> None:
    named = said("missing-value", "DATABASE_URL")
    assert cause(named) == "missing-value"
    empty = replace(named, details=replace(OURS, variables={"DATABASE_URL": False}))
    assert dict(diagnose(empty).facts)["DATABASE_URL"] == "is empty"
    given = replace(named, details=replace(OURS, variables={"DATABASE_URL": True}))
    assert cause(given) == "crash"


def looked_up(name: str, peer: Peer) -> Diagnosis:
    return diagnose(replace(said("name-unresolvable", name), peers={peer.service: peer}))


def test_a_name_is_looked_for_among_the_services() -> None:
    here, there = frozenset({"x_default"}), frozenset({"x_back"})
    names = frozenset({"db", "database"})
    runs = Peer("db", "runs", running=True, networks=here, names=names)
    assert dict(looked_up("dbb", runs).facts)["name"].endswith('— did you mean "db"?')
    assert "runs now; it may have been later" in dict(looked_up("database", runs).facts)["name"]
    apart = looked_up("db", replace(runs, networks=there))
    assert dict(apart.facts)["name"] == "db runs on x_back, and app on x_default"
    assert apart.advice == "networks: with one in common"
    ended = looked_up("db", replace(runs, running=False, state="ended with 1"))
    assert dict(ended.facts)["name"].startswith("db ended with 1, and what does not run has no")
    assert ended.advice == "depends_on: db with condition: service_healthy"


def probed(*results: ProbeResult, verdict: str = "unhealthy") -> Evidence:
    running = replace(SHOWN, state="running", health="unhealthy", probe_test=("CMD", "check"))
    return replace(
        CRASH,
        verdict=verdict,
        exit_code=None,
        waited_s=5.0,
        container=replace(running, probes=results),
    )


SLOW = ProbeResult(1.0, 1.3, -1, "Health check exceeded timeout (300ms)")
FAILS = ProbeResult(1.0, 1.1, 1, "queue is full")


def test_a_check_that_is_too_slow_is_told_from_one_that_fails() -> None:
    assert cause(probed(FAILS, SLOW)) == "probe-timeout"
    assert cause(probed(SLOW, FAILS)) == "unhealthy"
    late = diagnose(probed(SLOW, SLOW, verdict="never-ready"))
    assert late.cause == "probe-timeout"
    assert late.sentence == (
        "app was not ready within 5 s: its health check takes longer than its timeout, 30 s"
    )


def test_an_end_after_a_dependency_s_is_told_where_its_last_lines_name_it() -> None:
    dead = Peer("db", "ended with 1", failed=True, names=frozenset({"db"}))
    orphan = replace(
        CRASH,
        peers={"db": dead},
        dependencies=("db",),
        log=(LogLine(1.9, "connect to db:5432: connection refused"),),
    )
    found = diagnose(orphan)
    assert found.cause == "dependency"
    assert found.sentence.endswith("and db, on which it depends, ended with 1")
    assert cause(replace(orphan, log=(LogLine(1.9, "no such table"),))) == "crash"
    assert cause(replace(orphan, peers={"db": replace(dead, failed=False)})) == "crash"


def test_an_end_with_0_before_its_check_held_is_no_crash_in_words() -> None:
    assert diagnose(replace(CRASH, exit_code=0)).sentence == (
        "app ended with 0 before its health check held"
    )
