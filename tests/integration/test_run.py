"""The runner with real processes: output, time limits, interrupts, secrets, dry runs."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hullwright.errors import ExitCode, UnavailableError
from hullwright.run import CommandError, DryRunner, Runner
from hullwright.secret import Secret

# Writes to a pipe that is named in the environment when it is ready, then waits to be ended.
WAITING = """
import os, signal, sys
def ended(number, frame):
    with open(os.environ["MARK"], "w") as mark:
        mark.write(signal.Signals(number).name)
    sys.exit(3)
signal.signal(signal.SIGTERM, ended)
signal.signal(signal.SIGINT, ended)
print("ready", flush=True)
signal.pause()
"""
ENVIRON = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}


def sh(runner: Runner, script: str, **environment: str | Secret) -> str:
    return runner.read("sh", "-c", script, env=environment).stdout


def test_output_exit_code_and_time_are_captured() -> None:
    result = Runner(ENVIRON).read("sh", "-c", "echo out; echo err >&2; exit 5", check=False)
    assert (result.returncode, result.stdout, result.stderr) == (5, "out\n", "err\n")
    assert not result.ok
    assert 0 < result.duration_s < 30


def test_the_environment_is_exactly_what_was_given() -> None:
    os.environ["HULLWRIGHT_TEST_LEAK"] = "1"
    try:
        seen = sh(Runner(ENVIRON), "env", ADDED="x y", TOKEN=Secret("hunter2-hunter2"))
    finally:
        del os.environ["HULLWRIGHT_TEST_LEAK"]
    assert "ADDED=x y\n" in seen
    assert "TOKEN=hunter2-hunter2\n" in seen
    assert "HULLWRIGHT_TEST_LEAK" not in seen


def test_standard_input_is_handed_over_and_otherwise_empty() -> None:
    runner = Runner(ENVIRON)
    assert runner.read("cat", stdin="a ✓\n").stdout == "a ✓\n"
    assert runner.read("cat").stdout == ""


def test_bytes_that_are_no_text_break_nothing() -> None:
    assert sh(Runner(ENVIRON), r"printf 'a\377b'") == "a�b"


def test_bytes_are_given_as_they_are() -> None:
    echoed: list[str] = []
    script = r"printf '\0\377\r\n'; echo err >&2; exit 5"
    runner = Runner(ENVIRON, echo=echoed.append)
    result, content = runner.read_bytes("sh", "-c", script, env={"TOKEN": Secret("hidden-value")})
    assert content == b"\x00\xff\r\n"
    assert (result.returncode, result.stdout, result.stderr) == (5, "", "err\n")
    assert len(echoed) == 1
    assert "hidden-value" not in echoed[0]


def test_bytes_of_a_program_that_cannot_give_any_are_3() -> None:
    with pytest.raises(UnavailableError, match="sh did not answer within 0 s") as error:
        Runner(ENVIRON).read_bytes("sh", "-c", "exec sleep 60", timeout_s=0.2)
    assert error.value.exit_code == ExitCode.UNAVAILABLE
    with pytest.raises(UnavailableError, match="sh cannot be started"):
        Runner(ENVIRON).read_bytes("sh", "-c", "true", env={"A": "x" * 200_000})


def test_a_failure_replays_its_output_with_secrets_masked() -> None:
    runner = Runner(ENVIRON, secrets={Secret("hunter2-hunter2")})
    with pytest.raises(CommandError) as raised:
        runner.run(
            "sh", "-c", 'echo "password $P is wrong" >&2; exit 4', env={"P": "hunter2-hunter2"}
        )
    assert "sh ended with 4" in str(raised.value)
    assert "password *** is wrong" in str(raised.value)
    assert raised.value.result.returncode == 4


def test_streamed_lines_come_one_by_one_in_order_and_masked() -> None:
    lines: list[str] = []
    runner = Runner(ENVIRON, secrets={Secret("hunter2-hunter2")})
    script = "echo one; echo hunter2-hunter2 >&2; cat"
    result = runner.stream("sh", "-c", script, on_line=lines.append, stdin="three\n")
    assert lines == ["one", "***", "three"]
    assert result.stdout == "one\n***\nthree"
    with pytest.raises(CommandError, match="sh ended with 6"):
        runner.stream("sh", "-c", "exit 6", on_line=lines.append)


def test_a_program_that_does_not_answer_is_3_and_is_ended(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with pytest.raises(UnavailableError, match="did not answer within 1 s") as raised:
        Runner(ENVIRON).read(sys.executable, "-c", WAITING, env={"MARK": str(mark)}, timeout_s=1)
    assert raised.value.exit_code == ExitCode.UNAVAILABLE
    assert mark.read_text(encoding="utf-8") == "SIGTERM"


def test_a_missing_program_is_3() -> None:
    with pytest.raises(UnavailableError) as raised:
        Runner(ENVIRON).read("no-such-program-anywhere")
    assert raised.value.exit_code == ExitCode.UNAVAILABLE


def test_what_is_told_can_be_pasted_into_a_shell() -> None:
    told: list[str] = []
    words = ["printf", "%s|", "a b", "$HOME", "it's", "*", "", "✓"]
    expected = Runner(ENVIRON, echo=told.append).read(*words, env={"X": "1 2"}).stdout
    [line] = told
    assert shlex.split(line)[0] == "X=1 2"
    pasted = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
    assert pasted.stdout == expected == "a b|$HOME|it's|*||✓|"


def test_an_interrupt_lets_the_child_clean_up(tmp_path: Path) -> None:
    """A Ctrl-C reaches the whole process group; the runner waits for the child's own end."""
    mark = tmp_path / "mark"
    script = f"""
import os, sys
from hullwright.run import Runner
try:
    Runner(os.environ).stream(
        sys.executable, "-c", {WAITING!r}, on_line=lambda line: print(line, flush=True)
    )
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "MARK": str(mark)},
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stdout.read()
    assert rest == "interrupted\n"
    assert mark.read_text(encoding="utf-8") == "SIGINT"


def test_a_followed_command_ends_with_its_block(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    runner = Runner(ENVIRON)
    with runner.following(sys.executable, "-c", WAITING, env={"MARK": str(mark)}) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    assert process.poll() == 3
    assert mark.read_text(encoding="utf-8") == "SIGTERM"


def test_an_attached_command_has_the_streams_to_itself(capfd: pytest.CaptureFixture[str]) -> None:
    assert Runner(ENVIRON).attach("sh", "-c", "echo here; exit 9") == 9
    assert capfd.readouterr().out == "here\n"


def test_a_dry_run_looks_and_changes_nothing(tmp_path: Path) -> None:
    runner = DryRunner(ENVIRON)
    runner.run("touch", str(tmp_path / "changed"))
    assert list(tmp_path.iterdir()) == []
    assert runner.read("ls", "-d", str(tmp_path)).stdout == f"{tmp_path}\n"


def test_long_output_of_both_streams_blocks_nothing() -> None:
    script = "head -c 3000000 /dev/zero | tr '\\0' a; head -c 3000000 /dev/zero | tr '\\0' b >&2"
    done = threading.Event()

    def read() -> None:
        result = Runner(ENVIRON).read("sh", "-c", script)
        assert len(result.stdout) == len(result.stderr) == 3_000_000
        done.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    assert done.wait(timeout=60)


def script(folder: Path, content: str) -> str:
    path = folder / "hook"
    path.write_text(content, encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("echo\n", "a script needs a first line such as #!/bin/sh"),
        ("#!/none/sh\n", "names a program that is missing: /none/sh"),
        ("#!/bin/sh\r\n", "ends with a carriage return"),
    ],
)
def test_a_script_that_the_system_does_not_start_is_3(
    tmp_path: Path, content: str, said: str
) -> None:
    runner, hook = Runner(ENVIRON), script(tmp_path, content)
    for start in (
        lambda: runner.read(hook),
        lambda: runner.attach(hook),
        lambda: runner.stream(hook, on_line=pytest.fail),
    ):
        with pytest.raises(UnavailableError, match="cannot be started") as raised:
            start()
        assert raised.value.exit_code == ExitCode.UNAVAILABLE
        assert said in str(raised.value)


def test_a_folder_that_is_not_there_is_3(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"its folder .*gone is not there"):
        Runner(ENVIRON).read("true", cwd=tmp_path / "gone")


def test_what_is_too_long_for_the_system_is_3_and_named() -> None:
    value = "hunter2" * 20_000
    with pytest.raises(UnavailableError, match="the variable TOKEN has 140,007 bytes") as raised:
        Runner(ENVIRON).read("true", env={"TOKEN": Secret(value)})
    assert "hunter2" not in str(raised.value)
    with pytest.raises(UnavailableError, match=r"argument 1 \(--token\) has") as raised:
        Runner(ENVIRON).read("true", f"--token={value}")
    assert "hunter2" not in str(raised.value)
    with pytest.raises(UnavailableError, match="argument 1: a NUL character"):
        Runner(ENVIRON).read("true", "a\0b")


@pytest.mark.parametrize("text", ["a $HOME\n'b'\n\n", "EOF\n", ""])
def test_a_pasted_command_reads_the_same_in_the_same_folder(tmp_path: Path, text: str) -> None:
    told: list[str] = []
    folder = tmp_path / "it's here"
    folder.mkdir()
    words = ("sh", "-c", 'pwd; cat; echo "$TOKEN"')
    expected = (
        Runner(ENVIRON, echo=told.append)
        .read(*words, cwd=folder, stdin=text, env={"TOKEN": Secret("hunter2")})
        .stdout
    )
    [pasted] = told
    assert "hunter2" not in pasted
    shell = ["sh", "-c", f"{pasted}\npwd"]
    known = {**ENVIRON, "TOKEN": "hunter2"}
    done = subprocess.run(shell, capture_output=True, text=True, check=True, env=known)
    assert done.stdout == f"{expected}{Path.cwd()}\n"
    assert expected == f"{folder}\n{text}hunter2\n"
    # Where the shell has no value, nothing is started with a wrong one.
    refused = subprocess.run(
        ["sh", "-c", pasted], capture_output=True, text=True, check=False, env=ENVIRON
    )
    assert refused.returncode != 0
    assert refused.stdout == ""
