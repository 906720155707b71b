"""The registry of the machine: whose it is, where it may listen, and that it is waited for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hullwright.errors import UnavailableError
from hullwright.provision import execute
from hullwright.provision.execute import wait_for_registry
from hullwright.provision.facts import Registry
from hullwright.provision.observe_registry import observe_registry, runs
from hullwright.provision.operations import WaitForRegistry
from hullwright.provision.state import REGISTRY_FILE_NAME, RegistryRecord, load_registry
from hullwright.tools import ports

if TYPE_CHECKING:
    from collections.abc import Callable


def record(folder: Path, *, pid: int | None = None, config: str = "registry.yml") -> RegistryRecord:
    """Return a record that is written, with the process that its file names."""
    made = RegistryRecord(
        5003, ("start", "it"), f"{folder}/log", f"{folder}/pid", f"{folder}/{config}"
    )
    (folder / REGISTRY_FILE_NAME).write_text(made.to_json(), encoding="utf-8")
    if pid is not None:
        Path(made.pid_file).write_text(f"{pid}\n", encoding="utf-8")
    return made


def taken(*ports: int) -> Callable[[int], bool]:
    return lambda port: port not in ports


def never(_: int) -> bool:
    return False


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert load_registry(tmp_path) is None
    made = record(tmp_path)
    assert load_registry(tmp_path) == made
    assert made.address == "127.0.0.1:5003"


@pytest.mark.parametrize("text", ["", "[]", '{"port": "x"}', '{"port": 5000}'])
def test_a_record_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / REGISTRY_FILE_NAME).write_text(text, encoding="utf-8")
    assert load_registry(tmp_path) is None


def test_a_process_is_ours_by_its_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = record(tmp_path, pid=os.getpid())
    assert not runs(made)  # this process's words are others
    words = Path("/proc/self/cmdline").read_bytes().split(b"\0")
    ours = RegistryRecord(5003, (), "", made.pid_file, words[0].decode())
    assert runs(ours)
    Path(made.pid_file).unlink()
    assert not runs(ours)


def test_the_expected_port_comes_first(tmp_path: Path) -> None:
    assert observe_registry(tmp_path, free=taken(), serves=never) == Registry("absent", 5000)


def test_a_recorded_registry_keeps_its_port(tmp_path: Path) -> None:
    made = record(tmp_path)
    seen = observe_registry(tmp_path, free=taken(), serves=never)
    assert seen == Registry("stopped", 5003, "", made)


def test_a_taken_port_is_passed_over_and_its_holder_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "listeners", tuple)
    seen = observe_registry(tmp_path, free=taken(5000, 5001), serves=never)
    assert (seen.state, seen.port) == ("absent", 5002)
    assert seen.taken == "another program"


def test_where_no_port_is_free_there_is_none(tmp_path: Path) -> None:
    assert observe_registry(tmp_path, free=never, serves=never).port == 0


def test_the_registry_of_somebody_else_is_used_as_it_is(tmp_path: Path) -> None:
    seen = observe_registry(tmp_path, free=taken(5000), serves=lambda port: port == 5000)
    assert seen == Registry("foreign", 5000)


def test_a_registry_that_ends_shows_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log").write_text("configuration error\nbind: address already in use\n")
    monkeypatch.setattr(execute, "_STARTING_S", 0)
    monkeypatch.setattr(execute, "is_registry", never)
    with pytest.raises(UnavailableError) as caught:
        wait_for_registry(
            WaitForRegistry("127.0.0.1:5003", f"{tmp_path}/log", f"{tmp_path}/no-pid")
        )
    assert caught.value.what.startswith("the registry on 127.0.0.1:5003 did not answer within")
    assert "address already in use" in str(caught.value.why)


def test_the_wait_ends_when_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def serves(port: int) -> bool:
        asked.append(port)
        return len(asked) > 1

    monkeypatch.setattr(execute, "_POLL_S", 0)
    monkeypatch.setattr(execute, "is_registry", serves)
    wait_for_registry(WaitForRegistry("127.0.0.1:5003", "", ""))
    assert asked == [5003, 5003]
