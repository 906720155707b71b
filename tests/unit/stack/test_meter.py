"""What containers use, sampled: control groups stand for themselves as values."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from hullwright.stack import meter
from hullwright.stack.expected import Expected
from hullwright.stack.meter import Meter
from hullwright.stack.track import Track
from hullwright.stack.wait import Wait
from hullwright.tools.cgroups import Usage


@dataclass
class Kernel:
    """The groups of containers, by their processes.

    Attributes:
        used: by container.
        processes: by container; one that is missing has ended.
        reads: how often a container's usage was read.
        usually: whether groups are where they usually are.
    """

    used: dict[str, Usage] = field(default_factory=dict)
    processes: dict[str, int] = field(default_factory=dict)
    reads: int = 0
    usually: bool = False

    def usual(self, container: str) -> Group | None:
        return Group(self, container) if self.usually else None

    def of_process(self, pid: int, container: str) -> Group | None:
        return Group(self, container) if self.processes.get(container) == pid else None

    def runs_container(self, pid: int, container: str) -> bool:
        return self.processes.get(container) == pid


@dataclass(frozen=True)
class Group:
    kernel: Kernel
    container: str

    def usage(self) -> Usage:
        self.kernel.reads += 1
        return self.kernel.used.get(self.container, Usage())

    def process(self) -> int:
        return self.kernel.processes.get(self.container, 0)

    def run(self) -> int:
        return self.process()

    def beside(self, container: str) -> Group:
        return Group(self.kernel, container)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    kernel = Kernel()
    monkeypatch.setattr(meter, "cgroups", kernel)
    monkeypatch.setattr(meter, "ports", kernel)
    return kernel


def running(name: str, pid: int = 0) -> Track:
    return Track(name, name, started_at=1.0, first_started_at=1.0, pid=pid)


def test_the_most_memory_of_all_samples_is_kept(kernel: Kernel) -> None:
    kernel.processes["db"] = 7
    db, metered = running("db", 7), Meter()
    metered.locate(db)
    for at, memory in ((1.0, 100), (2.0, 300), (3.0, 200)):
        kernel.used["db"] = Usage(memory, at / 10)
        metered.sample([db])
    assert (db.peak_memory_bytes, db.cpu_s) == (300, 0.3)
    # It has ended: nothing is left to read, and what was read stays.
    kernel.used.clear()
    metered.sample([db])
    assert (db.peak_memory_bytes, db.cpu_s) == (300, 0.3)


def test_another_run_of_a_container_adds_to_the_first(kernel: Kernel) -> None:
    kernel.processes["db"], kernel.used["db"] = 7, Usage(500, 2.0)
    db, metered = running("db", 7), Meter()
    metered.locate(db)
    metered.sample([db])
    kernel.processes["db"], kernel.used["db"] = 9, Usage(400, 0.5)
    metered.sample([db])
    metered.sample([db])
    assert (db.peak_memory_bytes, db.cpu_s) == (500, 2.5)


def test_a_process_is_found_where_the_first_container_was(kernel: Kernel) -> None:
    kernel.processes.update(db=7, seed=8)
    kernel.used["seed"] = Usage(2, 2.0)
    db, seed, metered = running("db", 7), running("seed"), Meter()
    metered.locate(seed)
    assert seed.pid == 0, "no container has been seen yet"
    metered.locate(db)
    metered.locate(seed)
    assert seed.pid == 8
    metered.sample([seed])
    assert seed.cpu_s == 2.0


def test_where_groups_are_as_usual_nobody_is_asked(kernel: Kernel) -> None:
    kernel.usually, kernel.processes["seed"], kernel.used["seed"] = True, 8, Usage(2, 2.0)
    seed, metered = Track("seed", "seed"), Meter()
    metered.sample([seed])
    # Its start is not known yet, and it may have ended before it is.
    assert (seed.pid, seed.cpu_s) == (0, 2.0)


def test_of_an_engine_on_another_machine_nothing_is_known(kernel: Kernel) -> None:
    db, metered = running("db", 7), Meter()
    metered.locate(db)
    metered.sample([db])
    assert (db.peak_memory_bytes, db.cpu_s, kernel.reads) == (None, None, 0)


def test_what_a_wait_knows_of_is_sampled_to_its_end(kernel: Kernel) -> None:
    kernel.processes["db"], kernel.used["db"] = 7, Usage(1, 1.0)
    wait = Wait({"db": Expected("db")}, 0.0, 60.0)
    wait.tracks["db"] = db = running("db", 7)
    metered = Meter()
    metered.locate(db)
    with metered.sampling(wait):
        pass
    assert db.cpu_s == 1.0
