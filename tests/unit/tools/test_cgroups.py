"""Control groups, by files as the kernel has them: version 2, version 1, and both at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullwright.tools import cgroups
from hullwright.tools.cgroups import Usage

if TYPE_CHECKING:
    from pathlib import Path

ID = "f6b1" * 16
OTHER = "0a2c" * 16


def machine(tmp_path: Path, groups: str, mounts: str) -> Path:
    """Write the files of a machine on which process 42 is the container's; returns its /proc."""
    proc = tmp_path / "proc"
    (proc / "42").mkdir(parents=True)
    (proc / "self").mkdir()
    (proc / "42/cgroup").write_text(groups.format(id=ID), encoding="utf-8")
    shown = mounts.format(fs=tmp_path / "fs", id=ID)
    (proc / "self/mountinfo").write_text(shown, encoding="utf-8")
    return proc


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")


V2 = "25 1 0:22 / {fs} rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = (
    "25 1 0:22 / / rw - ext4 /dev/a rw\n"
    "31 1 0:29 / {fs}/memory rw - cgroup cgroup rw,memory\n"
    "32 1 0:30 / {fs}/cpu rw shared:3 master:1 - cgroup cgroup rw,cpu,cpuacct\n"
    "33 1 0:31 / {fs}/unified rw - cgroup2 cgroup2 rw\n"
)
V1_GROUPS = "7:cpu,cpuacct:/docker/{id}\n4:memory:/docker/{id}\n0::/docker/{id}\n"


def test_version_2_keeps_the_peak(tmp_path: Path) -> None:
    proc = machine(tmp_path, "0::/system.slice/docker-{id}.scope\n", V2)
    own = tmp_path / f"fs/system.slice/docker-{ID}.scope"
    write(own, memory__peak="4096\n", memory__current="1024\n", cpu__stat="usage_usec 1500000\nx 1")
    group = cgroups.of_process(42, ID, proc)
    assert group is not None
    assert group.usage() == Usage(4096, 1.5)


def test_an_old_kernel_of_version_2_tells_what_is_used_now(tmp_path: Path) -> None:
    proc = machine(tmp_path, "0::/docker/{id}\n", V2)
    write(tmp_path / f"fs/docker/{ID}", memory__current="1024\n", cpu__stat="user_usec 3\n")
    group = cgroups.of_process(42, ID, proc)
    assert group is not None
    assert group.usage() == Usage(1024, None)


def test_a_process_in_a_group_below_counts_as_the_container(tmp_path: Path) -> None:
    # Where the container's first process is an init system with groups of its own.
    proc = machine(tmp_path, "0::/docker/{id}/init.scope\n", V2)
    write(tmp_path / f"fs/docker/{ID}/init.scope", memory__peak="1")
    write(tmp_path / f"fs/docker/{ID}", memory__peak="2")
    group = cgroups.of_process(42, ID, proc)
    assert group is not None
    assert group.usage().peak_memory_bytes == 2


def test_version_1_has_a_hierarchy_for_each_controller(tmp_path: Path) -> None:
    proc = machine(tmp_path, V1_GROUPS, V1)
    write(tmp_path / f"fs/memory/docker/{ID}", memory__max_usage_in_bytes="2048\n")
    write(tmp_path / f"fs/cpu/docker/{ID}", cpuacct__usage="250000000\n", cgroup__procs="51\n42\n")
    group = cgroups.of_process(42, ID, proc)
    assert group is not None
    assert group.usage() == Usage(2048, 0.25)
    assert group.process() == 42


def test_inside_a_container_a_part_of_the_hierarchy_is_mounted(tmp_path: Path) -> None:
    mounts = "25 1 0:22 /outer {fs} rw - cgroup2 cgroup2 rw\n"
    proc = machine(tmp_path, "0::/outer/docker/{id}\n", mounts)
    write(tmp_path / f"fs/docker/{ID}", memory__peak="7")
    group = cgroups.of_process(42, ID, proc)
    assert group is not None
    assert group.usage().peak_memory_bytes == 7


def test_the_next_container_stands_beside_the_first(tmp_path: Path) -> None:
    proc = machine(tmp_path, V1_GROUPS, V1)
    write(tmp_path / f"fs/memory/docker/{ID}", memory__max_usage_in_bytes="1")
    write(tmp_path / f"fs/memory/docker/{OTHER}", memory__max_usage_in_bytes="9", cgroup__procs="8")
    group = cgroups.of_process(42, ID, proc)
    assert group is not None
    other = group.beside(OTHER)
    assert (other.usage(), other.process()) == (Usage(9, None), 8)
    gone = group.beside("1234")
    assert (gone.usage(), gone.process()) == (Usage(), 0)


@pytest.mark.parametrize(
    ("groups", "mounts"),
    [
        ("0::/user.slice\n", V2),
        ("0::/docker/{id}\n", ""),
        ("0::/../{id}\n", V2),
        ("1:pids:/docker/{id}\n", V2),
    ],
    ids=["another process", "no mounts", "outside of what is mounted", "no such controller"],
)
def test_what_is_not_the_containers_is_not_read(tmp_path: Path, groups: str, mounts: str) -> None:
    assert cgroups.of_process(42, ID, machine(tmp_path, groups, mounts)) is None


def test_a_process_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert cgroups.of_process(42, ID, tmp_path) is None


@pytest.mark.parametrize("place", ["docker/{id}", "system.slice/docker-{id}.scope"])
def test_a_container_is_found_where_the_engine_puts_it(tmp_path: Path, place: str) -> None:
    proc = machine(tmp_path, "", V2)
    assert cgroups.usual(ID, proc) is None
    own = tmp_path / "fs" / place.format(id=ID)
    write(own, memory__peak="3", cpu__stat="usage_usec 1000000")
    group = cgroups.usual(ID, proc)
    assert group is not None
    assert group.usage() == Usage(3, 1.0)
    assert group.run() == own.stat().st_ino
    assert group.beside(OTHER).run() == 0


def test_version_1_is_found_where_the_engine_puts_it(tmp_path: Path) -> None:
    proc = machine(tmp_path, "", V1)
    write(tmp_path / f"fs/memory/docker/{ID}", memory__max_usage_in_bytes="2048\n")
    assert cgroups.usual(ID, proc) is None, "it is half made"
    write(tmp_path / f"fs/cpu/docker/{ID}", cpuacct__usage="250000000\n")
    # That of version 2 beside it has no figures.
    write(tmp_path / f"fs/unified/docker/{ID}", cgroup__procs="1")
    group = cgroups.usual(ID, proc)
    assert group is not None
    assert group.usage() == Usage(2048, 0.25)
