"""Bad input on the command line: the exit code, and what, why and next in the message."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Final

import pytest

import vaults
from composing import docker, there
from e2e.conftest import BIN, Shop, stand_in
from hullwright.tools.age import short

GOLDEN: Final = Path(__file__).parents[1] / "golden"
COMPOSE: Final = """\
services:
  web:
    image: IMAGE
    command: sleep 600
    stop_grace_period: 0s
"""
NEVER_HEALTHY: Final = f"""{COMPOSE}
    healthcheck: {{test: "echo the queue is full; exit 1", interval: 100ms, retries: 1000}}
"""


def told(text: str) -> list[str]:
    """Return the lines of a message without the alignment of their columns."""
    return [" ".join(line.split()) for line in text.splitlines()]


# The engine


@pytest.mark.parametrize("program", ["hullwright", "invoke"])
@pytest.mark.parametrize("task", ["build", "sizes", "up", "ps", "down", "cold-start", "images"])
def test_without_an_engine_it_says_how_to_get_one(bare: Shop, program: str, task: str) -> None:
    bare.write("Dockerfile", "FROM scratch\nCOPY tasks.py /\n")
    bare.write("compose.yaml", "services: {web: {image: 'nothing:1'}}\n")
    bare.commit()
    nowhere = f"unix://{bare.path.parent}/none.sock"
    if task == "sizes":
        words: tuple[str, ...] = (program, task, "--image", "nothing:1")
    else:
        words = (program, task)
    done = bare.call(*words, code=3, DOCKER_HOST=nowhere)
    first, *rest = told(done.stderr)
    assert first.startswith("✗ the Docker engine ")
    assert any(line.startswith("why ") and nowhere in line for line in rest)
    assert any(line.startswith("next ") and "invoke setup" in line for line in rest)
    assert done.stdout == ""


def test_an_engine_that_is_too_old_is_told_by_setup(bare: Shop, programs: Path) -> None:
    answer = '{"ServerVersion": "20.10.5", "ClientInfo": {"Plugins": []}}'
    stand_in(programs, "docker", f"[ \"$1\" = info ] && echo '{answer}' && exit 0\nexit 1\n")
    done = bare.call("hullwright", "setup", code=3)
    lines = told(done.stdout + done.stderr)
    assert "✗ Docker Engine 20.10.5 is too old" in lines
    assert any(line.startswith("why 26 or newer is needed") for line in lines)
    assert "next upgrade it from where it came" in lines


def test_without_docker_it_says_how_to_get_it(bare: Shop, programs: Path) -> None:
    bare.write("compose.yaml", "services: {web: {image: 'nothing:1'}}\n")
    bare.commit()
    for name in ("git", "sh"):
        (programs / name).symlink_to(shutil.which(name) or name)
    done = bare.call("hullwright", "up", code=3, PATH=str(programs), HOME=str(programs))
    assert told(done.stderr)[0] == "✗ docker is not on PATH"
    assert "invoke setup" in done.stderr


def test_without_compose_it_says_so(bare: Shop, programs: Path) -> None:
    bare.write("compose.yaml", "services: {web: {image: 'nothing:1'}}\n")
    bare.commit()
    stand_in(programs, "docker", "echo \"unknown shorthand flag: 'f' in -f\" >&2\nexit 125\n")
    done = bare.call("hullwright", "up", code=3)
    assert "Compose" in told(done.stderr)[0]
    assert "invoke setup" in done.stderr


# The command line and the configuration


@pytest.mark.parametrize("task", ["version", "build"])
def test_what_is_no_git_repository_has_no_version(bare: Shop, task: str) -> None:
    bare.write("Dockerfile", "FROM scratch\n")
    done = bare.call("hullwright", task, code=2)
    first, *rest = told(done.stderr)
    expected = "is not in a Git repository, and Git is where a version comes from"
    assert first == f"✗ {bare.path} {expected}"
    assert "next run it in a clone; for an exported tree, set both variables" in rest


TWO_SERVICES: Final = """\
[services.api]
targets = ["development", "production"]
[services.worker]
[stacks.default]
files = ["compose.yaml"]
[environments.staging]
"""


@pytest.mark.parametrize(
    ("words", "first", "known"),
    [
        ("build --service wroker", 'service "wroker" — did you mean "worker"?', "api, worker"),
        ("build wroker", 'service "wroker" — did you mean "worker"?', "api, worker"),
        (
            "build --service api --target prodution",
            'target of service api "prodution" — did you mean "production"?',
            "development, production",
        ),
        (
            "build --platform linux/amd46",
            'platform "linux/amd46" — did you mean "linux/amd64"?',
            "linux/386, linux/amd64, linux/arm/v5, ",
        ),
        ("version --service apy", 'service "apy" — did you mean "api"?', "api, worker"),
        ("up --stack defualt", 'stack "defualt" — did you mean "default"?', "default"),
        ("cold-start --stack x", 'stack "x"', "default"),
        (
            "decrypt --env stagign",
            'environment "stagign" — did you mean "staging"?',
            "development, staging",
        ),
        (
            "version --format jsn",
            'format "jsn" — did you mean "json"?',
            "env, json, markdown, text",
        ),
        ("build --format env", 'format "env"', "json, markdown, text"),
        ("bild", 'task "bild" — did you mean "build"?', "build, cold-start, "),
    ],
)
def test_an_unknown_name_gets_a_suggestion_and_the_list(
    bare: Shop, words: str, first: str, known: str
) -> None:
    bare.write("hullwright.toml", TWO_SERVICES)
    bare.write("Dockerfile", "FROM scratch AS development\nFROM scratch AS production\n")
    bare.write("compose.yaml", "services: {web: {image: 'nothing:1'}}\n")
    bare.commit()
    done = bare.call("hullwright", *words.split(), code=2)
    lines = told(done.stderr)
    assert lines[0] == f"✗ unknown {first}"
    assert lines[1].startswith(f"known {known}")
    assert done.stdout == ""


@pytest.mark.docker
def test_an_unknown_service_of_a_stack_gets_a_suggestion_too(shop: Shop) -> None:
    shop.write("compose.yaml", COMPOSE)
    shop.commit()
    done = shop.call("invoke", "up", "--service", "wbe", code=2)
    assert told(done.stderr) == ['✗ unknown service "wbe" — did you mean "web"?', "known web"]
    assert shop.projects() == []


@pytest.mark.parametrize("words", [["build", "--nosuch"], ["history", "--limit", "many"], ["exec"]])
def test_a_wrong_command_line_is_2(bare: Shop, words: list[str]) -> None:
    bare.commit()
    done = bare.call("hullwright", *words, code=2)
    assert done.stderr.startswith(("usage: hullwright", "✗ exec needs a service and a command"))


@pytest.mark.parametrize("task", ["build", "up", "sizes", "decrypt", "nox"])
def test_every_task_refuses_a_configuration_with_all_its_mistakes(bare: Shop, task: str) -> None:
    broken = (GOLDEN / "config" / "five-mistakes.toml").read_text(encoding="utf-8")
    bare.write("hullwright.toml", broken)
    bare.write("noxfile.py", "from hullwright.sessions import register\nregister()\n")
    bare.commit()
    expected = (GOLDEN / "config" / "five-mistakes.txt").read_text(encoding="utf-8")
    if task == "nox":
        # Nox loads the sessions itself, so its exit code it is.
        done = bare.call("nox", "--list", code=2)
    else:
        done = bare.call("hullwright", task, code=2)
    assert expected in done.stderr


def test_a_file_that_is_no_toml_is_told_with_its_line(bare: Shop) -> None:
    bare.write("hullwright.toml", 'project = "x\n')
    done = bare.call("hullwright", "build", code=2)
    assert told(done.stderr)[0].startswith("✗ ")
    assert "hullwright.toml" in done.stderr
    assert "line 1" in done.stderr


# Stacks


@pytest.mark.docker
def test_a_port_of_a_process_is_named_with_it(shop: Shop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        shop.write("compose.yaml", f'{COMPOSE}    ports: ["127.0.0.1:{port}:80"]\n')
        shop.commit()
        done = shop.call("hullwright", "up", code=1)
    lines = told(done.stderr)
    assert lines[0] == f"✗ port {port} is already taken"
    assert any(line.startswith(f"held by process {os.getpid()}: ") for line in lines)
    assert lines[-1].startswith("next end it")
    assert shop.projects() == []


@pytest.mark.docker
def test_a_port_of_a_container_is_named_with_it(shop: Shop) -> None:
    holder = f"{shop.project}-holder"
    words = ("run", "--detach", "--name", holder, "--publish", "127.0.0.1::80")
    docker(*words, shop.image, "sleep", "600")
    try:
        port = docker("port", holder, "80/tcp").rpartition(":")[2]
        shop.write("compose.yaml", f'{COMPOSE}    ports: ["127.0.0.1:{port}:80"]\n')
        shop.commit()
        done = shop.call("invoke", "up", code=1)
    finally:
        docker("rm", "--force", holder)
    lines = told(done.stderr)
    assert lines[0] == f"✗ port {port} is already taken"
    assert any(line.startswith(f"held by container {holder}") for line in lines)


@pytest.mark.docker
@pytest.mark.parametrize("task", ["up", "cold-start"])
def test_a_service_that_crashes_is_1_with_code_and_log(shop: Shop, task: str) -> None:
    shop.write("compose.yaml", COMPOSE.replace("sleep 600", "sh -c 'echo no table users; exit 3'"))
    shop.commit()
    done = shop.call("hullwright", task, code=1)
    assert "✗ web crashed: it ended with 3" in told(done.stdout)
    assert "no table users" in done.stdout
    if task == "cold-start":
        assert shop.projects() == []


@pytest.mark.docker
@pytest.mark.parametrize("task", ["up", "cold-start"])
def test_a_service_that_is_never_healthy_is_1_after_the_timeout(shop: Shop, task: str) -> None:
    shop.write("compose.yaml", NEVER_HEALTHY)
    shop.commit()
    done = shop.call("hullwright", task, "--timeout", "1s", code=1)
    lines = told(done.stdout)
    assert "✗ web was not ready within 1 s" in lines
    assert any("the queue is full" in line for line in lines)
    if task == "cold-start":
        assert shop.projects() == []


@pytest.mark.docker
def test_an_image_that_was_not_built_is_named(shop: Shop) -> None:
    shop.write("Dockerfile", "FROM IMAGE\n")
    shop.write("compose.yaml", "services: {web: {build: .}}\n")
    shop.commit()
    done = shop.call("hullwright", "up", code=1)
    first, *_, last = told(done.stderr)
    assert (first, last) == ("✗ not built yet: web", "next invoke build --service web")


# Builds


@pytest.mark.docker
def test_an_image_that_does_not_build_is_1_with_the_last_lines_of_its_step(shop: Shop) -> None:
    shop.write(
        "Dockerfile",
        "FROM IMAGE\nRUN echo prepared\n"
        f"RUN echo {shop.project}; echo 'main.go:41:7: undefined: queue.Opne' >&2; exit 2\n",
    )
    shop.commit()
    done = shop.call("hullwright", "build", code=1)
    lines = told(done.stdout)
    failed = next(line for line in lines if line.startswith(f"✗ {shop.project} failed"))
    assert "step 3 of 3: RUN echo" in failed
    # The two lines come by two pipes, so in any order.
    assert {shop.project, "main.go:41:7: undefined: queue.Opne"} <= set(lines)
    assert not (shop.path / ".hullwright" / "images.json").exists()


@pytest.mark.docker
def test_a_known_cause_is_told_with_what_to_do(shop: Shop) -> None:
    words = "/src/go.sum: missing go.sum entry for module providing package x"
    shop.write("Dockerfile", f"FROM IMAGE\nRUN echo {shop.project} '{words}' >&2; exit 1\n")
    shop.commit()
    lines = told(shop.call("invoke", "build", code=1).stdout)
    assert any(line.startswith("cause ") and "go.sum" in line for line in lines)
    assert any(line.startswith("next ") for line in lines)


# Secrets


@pytest.fixture
def vault(tmp_path: Path) -> vaults.Vault:
    made = vaults.made(tmp_path)
    made.repository.write(".env", "OLD=1\n")
    return made


def refused(vault: vaults.Vault, code: int = 1, **environ: str) -> list[str]:
    """Return what `decrypt` says when it refuses, and assert that the old file is as it was."""
    shop = Shop(vault.root, "", vault.repository.environ)
    done = shop.call("hullwright", "decrypt", code=code, **environ)
    assert (vault.root / ".env").read_text(encoding="utf-8") == "OLD=1\n"
    assert [path.name for path in vault.root.glob(".env?*")] in ([".env.sops.yaml"], [])
    assert done.stdout == ""
    return told(done.stderr)


def test_secrets_that_are_missing_leave_the_old_file(vault: vaults.Vault) -> None:
    lines = refused(vault)
    assert lines[0] == "✗ missing: .env.sops.yaml, the secrets of development"
    assert lines[-1].startswith("next sops edit .env.sops.yaml")


def test_secrets_of_another_key_say_which_keys_were_tried(vault: vaults.Vault) -> None:
    vault.seal(".env.sops.yaml", "TOKEN: first\n", vault.other)
    lines = refused(vault)
    assert lines[0].startswith("✗ missing: the key that decrypts .env.sops.yaml")
    assert any(short(vault.other.public) in line for line in lines)
    assert any("SOPS_AGE_KEY" in line for line in lines)
    assert any(line.startswith("next ") for line in lines)


def test_secrets_that_were_tampered_with_leave_the_old_file(vault: vaults.Vault) -> None:
    path = vault.seal(".env.sops.yaml", "TOKEN: first\n", vault.other)
    changed = path.read_text(encoding="utf-8").replace("TOKEN:", "OTHER:", 1)
    path.write_text(changed, encoding="utf-8")
    lines = refused(vault, SOPS_AGE_KEY_FILE=str(vault.other.path))
    assert lines[0].startswith("✗ .env.sops.yaml was changed without sops, or damaged: ")


def test_a_file_that_git_would_take_up_is_2(vault: vaults.Vault) -> None:
    vault.seal(".env.sops.yaml", "TOKEN: first\n")
    vault.repository.write(".gitignore", "/.hullwright/\n")
    lines = refused(vault, code=2)
    assert lines[0].startswith("✗ .env is not ignored by Git")
    assert "/.env" in lines[-1]


def test_without_sops_it_says_how_to_get_it(vault: vaults.Vault, tmp_path: Path) -> None:
    vault.seal(".env.sops.yaml", "TOKEN: first\n")
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "git").symlink_to(shutil.which("git") or "git")
    lines = refused(vault, code=3, PATH=str(folder))
    assert lines[0] == "✗ sops is not on PATH"
    assert lines[-1].startswith("next invoke setup --install")


def test_a_full_disk_truncates_nothing(vault: vaults.Vault) -> None:
    own = ("unshare", "--mount", "--map-root-user", "--user")
    mount = "mount -t tmpfs -o size=64k tmpfs ."
    tried = subprocess.run((*own, "sh", "-c", mount), cwd=vault.root, check=False)
    if tried.returncode != 0:
        pytest.skip("this machine lets no test mount a small disk of its own")
    vault.seal(".env.sops.yaml", f"TOKEN: {'x' * 100_000}\n")
    vault.repository.write(".gitignore", ".env\n/.hullwright/\n")
    vault.repository.write("small/.env", "OLD=1\n")
    # The mount is this process's own and goes with it; the folder under it stays empty.
    script = f"""
        cd small && cp .env ../old && {mount} && cd ../small && cp ../old .env && cd ..
        "$1" decrypt --output small/.env
        echo "ended $?" && cat small/.env && ls -A small
    """
    done = subprocess.run(
        (*own, "sh", "-c", script, "sh", str(BIN / "hullwright")),
        cwd=vault.root,
        # Git looks for its repository up to a mount, unless it is told to look further.
        env=vault.repository.environ | {"GIT_DISCOVERY_ACROSS_FILESYSTEM": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["ended 1", "OLD=1", ".env"]
    lines = told(done.stderr)
    assert lines[0].endswith("small/.env could not be written")
    assert lines[1] == "why No space left on device; what stood there before is unchanged"


# Two at once


@pytest.fixture
def slow_sops(vault: vaults.Vault, tmp_path: Path) -> tuple[dict[str, str], Path, Path]:
    """A sops that tells by one pipe that it runs, and ends when another says so."""
    real = shutil.which("sops", path=vault.repository.environ["PATH"])
    folder = tmp_path / "programs"
    folder.mkdir()
    started, go = tmp_path / "started", tmp_path / "go"
    os.mkfifo(started)
    os.mkfifo(go)
    script = f'case "$*" in *version*) ;; *) echo x >"{started}"; cat "{go}" >&2 ;; esac\n'
    stand_in(folder, "sops", f'{script}exec "{real}" "$@"\n')
    path = f"{folder}{os.pathsep}{vault.repository.environ['PATH']}"
    return vault.repository.environ | {"PATH": path}, started, go


def test_a_second_writer_of_one_file_is_4_and_names_the_first(
    vault: vaults.Vault, slow_sops: tuple[dict[str, str], Path, Path]
) -> None:
    vault.seal(".env.sops.yaml", "TOKEN: first\n")
    environ, started, go = slow_sops
    first = Shop(vault.root, "", environ)
    with first.running("hullwright", "decrypt") as process:
        # Opening waits for the other end: the first one runs and holds the file now.
        assert started.read_text() == "x\n"
        lines = refused(vault, code=4)
        assert lines[0] == "✗ .env is in use by another run"
        assert lines[1].startswith(f"holder process {process.pid}: ")
        assert lines[1].endswith("decrypt")
        assert lines[2].startswith("next ")
        go.write_text("")
        assert process.wait(timeout=30) == 0
    assert 'TOKEN="first"' in (vault.root / ".env").read_text(encoding="utf-8")


def started_container(project: str) -> str:
    """Return the name of the first container of a project that starts, once it does."""
    follow = ("docker", "events", "--since", "5m", "--filter", "event=start", "--filter")
    label = f"label=com.docker.compose.project={project}"
    form = ("--format", "{{.Actor.Attributes.name}}")
    with subprocess.Popen((*follow, label, *form), stdout=subprocess.PIPE, text=True) as events:
        assert events.stdout is not None
        name = events.stdout.readline().strip()
        events.terminate()
    return name


@pytest.mark.docker
def test_a_second_cold_start_of_one_name_is_4_and_ctrl_c_of_the_first_130(shop: Shop) -> None:
    shop.write("compose.yaml", NEVER_HEALTHY)
    shop.commit()
    name = f"{shop.project}-mine"
    words = ("hullwright", "cold-start", "--project", name)
    with shop.running(*words, "--timeout", "100s") as first:
        assert started_container(name).startswith(name)
        second = shop.call(*words, code=4)
        lines = told(second.stderr)
        assert lines[0] == f"✗ the throwaway project {name} is in use by another run"
        assert lines[1].startswith(f"holder process {first.pid}: ")
        assert "cold-start --project" in lines[1]
        assert there(name)["containers"]
        os.killpg(first.pid, signal.SIGINT)
        _, errors = first.communicate(timeout=60)
    assert first.returncode == 130, errors
    assert "✗ interrupted" in told(errors)
    assert "Traceback" not in errors
    assert shop.projects() == []


@pytest.mark.docker
def test_what_was_kept_stays_after_ctrl_c_too(shop: Shop) -> None:
    shop.write("compose.yaml", NEVER_HEALTHY)
    shop.commit()
    name = f"{shop.project}-kept"
    words = ("hullwright", "cold-start", "--project", name, "--keep", "--timeout", "100s")
    with shop.running(*words) as process:
        started_container(name)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=60) == 130
    assert there(name)["containers"] == [f"{name}-web-1"]


@pytest.mark.docker
def test_ctrl_c_during_a_build_keeps_what_was_recorded_before(shop: Shop) -> None:
    shop.write("Dockerfile", "FROM IMAGE\n")
    shop.commit()
    shop.call("hullwright", "build")
    record = (shop.path / ".hullwright" / "images.json").read_bytes()
    shop.write("Dockerfile", f"FROM IMAGE\nRUN echo {shop.project}\nRUN sleep 600\n")
    with shop.running("invoke", "build") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "RUN echo" in line:
                break
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    # Bare Invoke has its own answer to Ctrl-C, and ours is given before it.
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert (shop.path / ".hullwright" / "images.json").read_bytes() == record


def test_a_record_of_builds_that_is_damaged_is_told(bare: Shop) -> None:
    bare.write("compose.yaml", "services: {web: {build: .}}\n")
    bare.write("Dockerfile", "FROM scratch\n")
    bare.write(".hullwright/images.json", '{"schema": 1, "images"')
    bare.commit()
    done = bare.call("hullwright", "sizes", code=1)
    assert "images.json" in told(done.stderr)[0]
    assert any(line.startswith("next ") for line in told(done.stderr))
