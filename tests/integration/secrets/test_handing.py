"""A command, and a stack, with secrets: nothing of them on a disk, in an argument list or left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final, cast

import pytest

from composing import docker, new_project, remove, there
from hullwright.tasks.starting import mask
from watching import Watch, shims

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullwright.tasks.session import Session
    from vaults import Vault

PLAIN: Final = "TOKEN: first-value-of-all\ndb:\n  password: second $x value\nport: 8080\n"
MEMORY: Final = Path(f"/dev/shm/hullwright-{os.geteuid()}")  # noqa: S108  what is tested
STACK: Final = """
name: {project}
services:
  app:
    image: {image}
    read_only: true
    user: "1000"
    cap_drop: [ALL]
    stop_grace_period: 0s
    env_file: [app.env]
    command: ["sh", "-c", "cat /run/secrets/db; echo; echo $$TOKEN; exec sleep 300"]
    secrets: [db]
secrets:
  db:
    environment: DB_PASSWORD
"""


def hullwright(vault: Vault, *words: str, **environ: str) -> subprocess.Popen[str]:
    """Start `hullwright` in a vault's repository."""
    return subprocess.Popen(
        (sys.executable, "-m", "hullwright", *words),
        cwd=vault.root,
        env={**vault.repository.environ, "NO_COLOR": "1", **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ran(vault: Vault, *words: str, **environ: str) -> tuple[int, str, str]:
    """Return the exit code and the output of a run."""
    with hullwright(vault, *words, **environ) as process:
        out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.fixture
def sealed(vault: Vault) -> Vault:
    """A repository whose development has secrets."""
    vault.seal(".env.sops.yaml", PLAIN)
    vault.repository.write("pyproject.toml", '[tool.hullwright.secrets]\npublic = ["port"]\n')
    return vault


def test_a_command_has_the_values_and_its_exit_code_is_ours(sealed: Vault) -> None:
    words = ("sh", "-c", 'printf "%s|%s|%s" "$TOKEN" "$DB_PASSWORD" "$port"; exit 7')
    assert ran(sealed, "run-with", "--", *words)[:2] == (
        7,
        "first-value-of-all|second $x value|8080",
    )
    shown = "printenv DB_PASSWORD; printenv TOKEN"
    code, out, _ = ran(sealed, "run-with", "--only", "TOKEN", "--command", f"sh -c '{shown}'")
    assert (code, out) == (0, "first-value-of-all\n")


def test_what_runs_may_have_the_secrets_of_any_environment(sealed: Vault) -> None:
    sealed.seal("deploy/environments/staging.sops.yaml", "TOKEN: staging-value\n")
    sealed.seal("deploy/environments/production.sops.yaml", "TOKEN: elsewhere\n", sealed.other)
    ws = sealed.workspace()
    mask(cast("Session", SimpleNamespace(workspace=ws)))
    assert ws.runner.redacted("first-value-of-all staging-value") == "*** ***"


def test_echo_shows_names_alone_and_public_values(sealed: Vault) -> None:
    code, _, err = ran(sealed, "--echo", "run-with", "--", "true")
    assert code == 0
    assert 'TOKEN="${TOKEN:?}"' in err
    assert "8080" in err
    assert "value" not in err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 15), (signal.SIGINT, 2)])
def test_signals_reach_the_command(sealed: Vault, number: signal.Signals, code: int) -> None:
    # Blocked until it is waited for: no moment is too early for the signal.
    script = (
        "import signal, sys; both = {signal.SIGTERM, signal.SIGINT}; "
        "signal.pthread_sigmask(signal.SIG_BLOCK, both); print('ready', flush=True); "
        "number = signal.sigwait(both); print('got'); sys.exit(number)"
    )
    # The process that was started is the command itself, with its own id.
    with hullwright(sealed, "run-with", "--", sys.executable, "-c", script) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.read() == "got\n"
    assert process.returncode == code


def test_a_broken_pipe_ends_the_command_as_ever(sealed: Vault) -> None:
    # Python ignores SIGPIPE; a command that inherited that would go on for ever.
    with hullwright(sealed, "run-with", "--", "yes") as process:
        assert process.stdout
        assert process.stdout.readline() == "y\n"
        process.stdout.close()
        assert process.wait(timeout=30) == -signal.SIGPIPE


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("run-with",), 2, "run-with needs a command"),
        (("run-with", "--command", "x 'y"), 2, "cannot be split into words"),
        (("run-with", "--only", "TOKN", "--", "true"), 2, 'did you mean "TOKEN"?'),
        (("run-with", "--", "no-such-program"), 3, "no-such-program is not on PATH"),
        (("run-with", "--env", "production", "--", "true"), 2, 'unknown environment "production"'),
    ],
)
def test_what_cannot_be_meant_is_told(
    sealed: Vault, words: tuple[str, ...], code: int, message: str
) -> None:
    found, _, err = ran(sealed, *words)
    assert (found, message in err) == (code, True), err


@pytest.fixture
def started(sealed: Vault, busybox: str) -> Iterator[tuple[Vault, str]]:
    """A repository with a stack of one service; what the test left of it is removed."""
    project = new_project()
    sealed.repository.write("compose.yaml", STACK.format(project=project, image=busybox))
    sealed.repository.write("app.env.example", "TOKEN=change-me\n")
    # Engine and Compose are asked for under the real home's settings, which may choose them.
    yield sealed, project
    remove(project)
    assert not any(there(project).values())
    assert not (MEMORY / project).exists()


@pytest.mark.docker
def test_no_plaintext_is_written_and_no_word_holds_a_value(
    started: tuple[Vault, str], tmp_path: Path
) -> None:
    vault, project = started
    folders = {name: tmp_path / name for name in ("state", "cache", "tmp", "home")}
    for folder in folders.values():
        folder.mkdir(exist_ok=True)
    path = vault.repository.environ["PATH"]
    log = shims(tmp_path / "shims", "docker", "sops", "git", path=path)
    environ = {
        "PATH": f"{log.parent}{os.pathsep}{path}",
        "XDG_STATE_HOME": str(folders["state"]),
        "XDG_CACHE_HOME": str(folders["cache"]),
        "TMPDIR": str(folders["tmp"]),
    }
    words = f"cat /proc/[0-9]*/cmdline >> '{log}' 2>/dev/null; true"
    with Watch([vault.root, *folders.values()]) as watch:
        assert ran(vault, "up", **environ)[0] == 0
        memory = MEMORY / project / "files/app/db"
        assert memory.read_text() == "second $x value"
        assert memory.stat().st_mode & 0o777 == 0o400
        assert ran(vault, "run-with", "--", "sh", "-c", words, **environ)[0] == 0
        assert ran(vault, "restart", **environ)[0] == 0
        code, out, err = ran(vault, "down", **environ)
    assert (code, "1 secret" in out) == (0, True), err
    # The watch did see: what is generated, what is recorded, and what is called.
    assert not watch.overflown
    assert watch.holding(b"hullwright-app-db")
    noted = log.read_bytes()
    assert b"hullwright\0up\0" in noted
    assert b"compose\0" in noted
    for value in (b"first-value-of-all", b"second $x value"):
        assert watch.holding(value) == []
        assert value not in noted
    assert not (MEMORY / project).exists()


@pytest.mark.docker
def test_files_are_there_as_long_as_the_stack_and_follow_its_secrets(
    started: tuple[Vault, str],
) -> None:
    vault, project = started
    container = f"{project}-app-1"
    code, out, err = ran(vault, "--dry", "up")
    assert (code, MEMORY.joinpath(project).exists()) == (0, False), err
    assert "write     secret app/db: a file in memory, mode 0400, user 1000" in out
    assert ran(vault, "up")[0] == 0
    assert docker("logs", container).splitlines() == ["second $x value", "first-value-of-all"]
    first = docker("inspect", "--format", "{{.Id}}", container)
    # The engine's own restart, as after a crash, mounts it again.
    docker("restart", container)
    assert docker("logs", container).splitlines()[2:] == ["second $x value", "first-value-of-all"]
    assert ran(vault, "up")[0] == 0
    assert docker("inspect", "--format", "{{.Id}}", container) == first
    vault.seal(".env.sops.yaml", PLAIN.replace("second", "changed"))
    assert ran(vault, "up")[0] == 0
    assert docker("logs", container).splitlines()[0] == "changed $x value"
    # What is in memory goes too where somebody else has removed the containers.
    remove(project)
    assert (MEMORY / project).is_dir()
    code, out, _ = ran(vault, "down")
    assert (code, "removed 1 secret" in out) == (0, True)


@pytest.mark.docker
def test_after_a_reboot_up_makes_them_again(started: tuple[Vault, str]) -> None:
    vault, project = started
    assert ran(vault, "up")[0] == 0
    docker("stop", "--time", "0", f"{project}-app-1")
    for path in sorted((MEMORY / project).rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (MEMORY / project).rmdir()
    code, out, _ = ran(vault, "restart")
    assert code == 1
    assert "next       invoke up   (memory was emptied" in out
    # What it had written before is shown, and no value in it.
    assert "│ ***" in out
    assert "value" not in out
    assert ran(vault, "up")[0] == 0
    assert docker("logs", f"{project}-app-1").splitlines()[0] == "second $x value"
    assert ran(vault, "down")[0] == 0


@pytest.mark.docker
def test_a_cold_start_leaves_nothing_in_memory(started: tuple[Vault, str]) -> None:
    vault, project = started
    vault.repository.write(
        "pyproject.toml",
        '[tool.hullwright.stacks.default]\nrequire-healthcheck = false\nfiles = ["compose.yaml"]\n',
    )
    # A run that was killed left one; a project of another name is somebody's who has it running.
    crashed, other = (MEMORY / f"{project}{end}" for end in ("-cold-0a1b2c3d", "-cold"))
    for left in (crashed, other):
        (left / "files/app").mkdir(parents=True)
    code, out, err = ran(vault, "cold-start")
    assert code == 0, f"{out}{err}"
    there_now = [path for path in MEMORY.iterdir() if path.name.startswith(project)]
    shutil.rmtree(other)
    assert there_now == [other]
    assert not [path for path in MEMORY.iterdir() if path.name.startswith("repository-cold-")]


@pytest.mark.docker
def test_an_old_env_file_is_told_of_and_does_not_fill_in(started: tuple[Vault, str]) -> None:
    vault, project = started
    text = (vault.root / "compose.yaml").read_text()
    named = text.replace(
        "    secrets: [db]", "    environment: {A: '${API_TOKEN:-none}'}\n    secrets: [db]"
    )
    (vault.root / "compose.yaml").write_text(named)
    vault.repository.write(".env", "API_TOKEN=from-long-ago\n")
    code, _, err = ran(vault, "up")
    assert code == 0, err
    assert "not taken from .env, for a secret comes from the encrypted file: API_TOKEN" in err
    assert "A=none" in docker("inspect", "--format", "{{.Config.Env}}", f"{project}-app-1")
    (vault.root / "compose.yaml").write_text(named.replace("API_TOKEN:-none", "API_TOKEN"))
    code, _, err = ran(vault, "up")
    assert (code, "1 variable has no value: API_TOKEN" in err) == (2, True)
    assert ran(vault, "down")[0] == 0
