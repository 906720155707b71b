"""Bad input on the command line: the exit code, and what, why and next in the message."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import pytest

from e2e.conftest import COMPOSE, Shop, stand_in, told

GOLDEN: Final = Path(__file__).parents[1] / "golden"

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
            'target "prodution" of service api — did you mean "production"?',
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
            "env, github, gitlab, json, ldflags, markdown, text",
        ),
        ("build --format env", 'format "env"', "json, markdown, text"),
        ("bild", 'task "bild" — did you mean "build"?', "build, ci.matrix, cold-start, "),
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


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["build", "--nosuch"], "usage: hullwright"),
        (["history", "--limit", "many"], "✗ --limit many is no number of runs"),
        (["history", "--service", "api"], "✗ --service tells whose figures are shown"),
        (["history", "--figures", "--kind", "up"], "✗ --figures takes what builds and cold starts"),
        (["exec"], "✗ exec needs a service and a command"),
    ],
)
def test_a_wrong_command_line_is_2(bare: Shop, words: list[str], told: str) -> None:
    bare.commit()
    done = bare.call("hullwright", *words, code=2)
    assert done.stderr.startswith(told)


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


# What stands in the repository


def test_a_record_of_builds_that_is_damaged_is_told(bare: Shop) -> None:
    bare.write("compose.yaml", "services: {web: {build: .}}\n")
    bare.write("Dockerfile", "FROM scratch\n")
    bare.write(".hullwright/images.json", '{"schema": 1, "images"')
    bare.commit()
    done = bare.call("hullwright", "sizes", code=1)
    assert "images.json" in told(done.stderr)[0]
    assert any(line.startswith("next ") for line in told(done.stderr))
