"""Stacks that do not start and images that do not build: who is to blame, and what to do."""

from __future__ import annotations

import os
import socket

import pytest

from composing import docker
from e2e.conftest import COMPOSE, NEVER_HEALTHY, Shop, told

pytestmark = pytest.mark.docker

# Stacks


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


@pytest.mark.parametrize("task", ["up", "cold-start"])
def test_a_service_that_crashes_is_1_with_code_and_log(shop: Shop, task: str) -> None:
    shop.write("compose.yaml", COMPOSE.replace("sleep 600", "sh -c 'echo no table users; exit 3'"))
    shop.commit()
    done = shop.call("hullwright", task, code=1)
    assert "✗ web crashed: it ended with 3" in told(done.stdout)
    assert "no table users" in done.stdout
    if task == "cold-start":
        assert shop.projects() == []


@pytest.mark.parametrize("task", ["up", "cold-start"])
def test_a_service_that_is_never_healthy_is_1_after_the_timeout(shop: Shop, task: str) -> None:
    shop.write("compose.yaml", NEVER_HEALTHY)
    shop.commit()
    done = shop.call("hullwright", task, "--timeout", "9s", code=1)
    lines = told(done.stdout)
    # Long enough for the engine to have started it, however busy it is.
    assert "✗ web was not ready within 9 s" in lines
    assert any("the queue is full" in line for line in lines)
    if task == "cold-start":
        assert shop.projects() == []


def test_an_image_that_was_not_built_is_named(shop: Shop) -> None:
    shop.write("Dockerfile", "FROM IMAGE\n")
    shop.write("compose.yaml", "services: {web: {build: .}}\n")
    shop.commit()
    done = shop.call("hullwright", "up", code=1)
    first, *_, last = told(done.stderr)
    assert (first, last) == ("✗ not built yet: web", "next invoke build --service web")


# Builds


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


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("write /app/x: no space left on device", "a file system of the build is full"),
        ("missing go.sum entry for module providing package x", "go.mod and go.sum do not agree"),
        ("sh: /app/start: Permission denied", "the step may not read, write or execute a file"),
        ("x509: certificate signed by unknown authority", "the server's certificate is not"),
        ("exec /app/start: exec format error", "a program of another platform than linux/"),
    ],
)
def test_a_known_cause_is_told_with_what_to_do(shop: Shop, words: str, cause: str) -> None:
    shop.write("Dockerfile", f"FROM IMAGE\nRUN echo {shop.project} '{words}' >&2; exit 1\n")
    shop.commit()
    lines = told(shop.call("invoke", "build", code=1).stdout)
    assert f"{shop.project} {words}" in lines
    assert any(line.startswith(f"cause {cause}") for line in lines)
    assert any(line.startswith("next ") for line in lines)
