"""The executor does what the plan says, in its order, and says what failed."""

from __future__ import annotations

import hashlib
import io
import stat
from typing import TYPE_CHECKING

import pytest

from hullwright.console import Console
from hullwright.errors import UnavailableError
from hullwright.provision import execute
from hullwright.provision.execute import Executor, download
from hullwright.provision.operations import (
    Action,
    Command,
    Download,
    Operation,
    Plan,
    RemoveFile,
    WaitForEngine,
    WriteFile,
)
from hullwright.run import CommandError, Result, Runner

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


class Recorder(Runner):
    """Notes commands instead of starting them; those whose first word is `false` fail."""

    def __init__(self) -> None:
        super().__init__({})
        self.told: list[tuple[str, ...]] = []
        self.engine_answers = True

    def stream(  # type: ignore[override]  # only what setup uses
        self,
        *argv: str,
        on_line: Callable[[str], None],
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Result:
        self.told.append(argv)
        assert cwd is None or cwd.is_dir()
        assert env is not None
        on_line(f"output of {argv[0]}")
        if argv[0] == "false":
            raise CommandError(Result(argv, 1, "first line\nE: no space left"))
        return Result(argv, 0)

    def read(self, *argv: str, **_: object) -> Result:
        self.told.append(argv)
        return Result(argv, 0 if self.engine_answers else 1)


@pytest.fixture
def runner() -> Recorder:
    return Recorder()


@pytest.fixture
def executor(runner: Recorder, tmp_path: Path) -> Executor:
    return Executor(runner, Console({}, io.StringIO(), io.StringIO()), tmp_path / "s" / "setup.log")


def planned(*actions: Action, cleanup: tuple[Action, ...] = (), optional: bool = False) -> Plan:
    return Plan("machine", (Operation("thing", "cause", actions, cleanup, optional),))


def shown(executor: Executor) -> str:
    assert isinstance(executor.console.err, io.StringIO)
    return executor.console.err.getvalue()


def test_actions_run_in_order_and_are_logged(
    executor: Executor, runner: Recorder, tmp_path: Path
) -> None:
    script = tmp_path / "new" / "script"
    executor.execute(
        planned(
            Command(("one", "1"), (("A", "b"),), tmp_path / "folder"),
            WriteFile(script, "text\n", 0o755),
            Command(("two",)),
        )
    )
    assert runner.told == [("one", "1"), ("two",)]
    assert script.read_text() == "text\n"
    assert stat.S_IMODE(script.stat().st_mode) == 0o755
    log = executor.log.read_text()
    assert f"$ cd {tmp_path}/folder && A=b one 1" in log
    assert "output of two" in log
    assert "✓ thing" in shown(executor)


def test_a_failure_says_what_why_and_where_the_log_is(executor: Executor, runner: Recorder) -> None:
    with pytest.raises(UnavailableError) as caught:
        executor.execute(planned(Command(("false", "update")), Command(("never",))))
    text = str(caught.value)
    assert text.startswith("setup could not complete: thing\n")
    assert "E: no space left" in text
    assert f"log      {executor.log}" in text
    assert runner.told == [("false", "update")]


def test_later_operations_are_not_begun_after_a_failure(
    executor: Executor, runner: Recorder
) -> None:
    first, second = planned(Command(("false",))), planned(Command(("second",)))
    with pytest.raises(UnavailableError):
        executor.execute(Plan("machine", first.operations + second.operations))
    assert ("second",) not in runner.told


def test_clean_up_happens_after_a_failure_too(executor: Executor, tmp_path: Path) -> None:
    policy = tmp_path / "policy"
    with pytest.raises(UnavailableError):
        executor.execute(
            planned(
                WriteFile(policy, "exit 101\n"), Command(("false",)), cleanup=(RemoveFile(policy),)
            )
        )
    assert not policy.exists()


def test_an_optional_failure_is_a_warning(executor: Executor) -> None:
    executor.execute(planned(Command(("false",)), optional=True))
    assert "! thing is not possible here: E: no space left" in shown(executor)


def test_the_engine_is_waited_for(executor: Executor, runner: Recorder) -> None:
    executor.execute(planned(WaitForEngine()))
    assert runner.told == [("docker", "version")]


def test_an_engine_that_stays_silent_shows_its_log(
    executor: Executor, runner: Recorder, tmp_path: Path
) -> None:
    runner.engine_answers = False
    log = tmp_path / "dockerd.log"
    log.write_text("starting\nfailed to start daemon: no cgroups\n")
    with pytest.raises(UnavailableError, match="failed to start daemon: no cgroups"):
        executor.execute(planned(WaitForEngine(str(log), timeout_s=0)))


def test_an_engine_that_ended_is_not_waited_for(
    executor: Executor, runner: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute, "_STARTING_S", 0.0)
    runner.engine_answers = False
    with pytest.raises(UnavailableError, match="did not answer"):
        executor.execute(planned(WaitForEngine(pid_file=str(tmp_path / "none"))))
    assert len(runner.told) < 3


def served(tmp_path: Path, content: bytes) -> str:
    """Return the address of a file, which the same code fetches without a connection."""
    (tmp_path / "served").write_bytes(content)
    return (tmp_path / "served").as_uri()


def test_a_download_with_the_pinned_checksum_is_kept_and_executable(tmp_path: Path) -> None:
    target = tmp_path / "bin" / "sops"
    download(Download(served(tmp_path, b"sops"), hashlib.sha256(b"sops").hexdigest(), target))
    assert target.read_bytes() == b"sops"
    assert stat.S_IMODE(target.stat().st_mode) == 0o755


def test_a_download_with_another_checksum_is_not_kept(tmp_path: Path) -> None:
    target = tmp_path / "bin" / "sops"
    with pytest.raises(UnavailableError, match="is not the file that was pinned"):
        download(Download(served(tmp_path, b"evil"), "0" * 64, target))
    assert not target.exists()


def test_a_download_that_fails_says_what_else_to_do(tmp_path: Path) -> None:
    missing = (tmp_path / "none").as_uri()
    with pytest.raises(UnavailableError, match="sops could not be downloaded") as caught:
        download(Download(missing, "0" * 64, tmp_path / "sops"))
    assert "Go to build it" in caught.value.next_step
