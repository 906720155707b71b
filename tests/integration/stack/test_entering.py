"""Entering services on the real engine: with a shell, without one, and into an image."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from composing import docker
from hullwright import stack
from hullwright.errors import CheckFailedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from composing import Made

pytestmark = pytest.mark.docker

_SCRIPT = """
    from pathlib import Path
    import os
    from hullwright import stack
    from hullwright.config.models import Config, Stack
    from hullwright.console import Console
    from hullwright.run import Runner
    from hullwright.workspace import Workspace
    config = Config("x", stacks={"default": Stack("default", ("compose.yaml",))})
    ws = Workspace(Path.cwd(), config, Runner(os.environ), Console(os.environ), os.environ)
    raise SystemExit(CALL)
"""


def entered(made: Made, call: str, typed: str) -> subprocess.CompletedProcess[str]:
    """Run a call in a process of its own, with something typed into it."""
    return subprocess.run(
        (sys.executable, "-c", textwrap.dedent(_SCRIPT).replace("CALL", call)),
        cwd=made.folder,
        env=made.environ,
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def shellless(made: Made, busybox: str) -> Iterator[str]:
    """Yield an image with one program, which is no shell."""
    image = f"hullwright-test/shellless:{made.project}"
    (made.folder / "Dockerfile").write_text(
        f"FROM {busybox} AS all\nFROM scratch\nCOPY --from=all /bin/busybox /httpd\n"
        'COPY Dockerfile /only-here\nCMD ["/httpd", "-f", "-p", "80"]\n',
        encoding="utf-8",
    )
    docker("buildx", "build", "--quiet", "--load", "--tag", image, str(made.folder))
    yield image
    docker("image", "rm", "--force", image)


def test_a_command_gives_its_exit_code_and_its_words_are_exact(made: Made, busybox: str) -> None:
    made.compose(f"  app: {{image: {busybox}, command: sleep 60, stop_grace_period: 0s}}")
    ws = made.workspace()
    stack.up(ws, stack.select(ws), limits=stack.Limits(20))
    words = ["sh", "-c", 'echo "$1|$2"; exit 7', "x", "a b", "$c"]
    call = f"stack.exec_(ws, stack.select(ws), 'app', {words!r})"
    done = entered(made, call, "")
    assert (done.stdout, done.returncode) == ("a b|$c\n", 7)


def test_a_shell_of_the_service_is_used_where_it_has_one(made: Made, busybox: str) -> None:
    made.compose(f"  app: {{image: {busybox}, command: sleep 60, stop_grace_period: 0s}}")
    ws = made.workspace()
    stack.up(ws, stack.select(ws), limits=stack.Limits(20))
    done = entered(made, "stack.shell(ws, stack.select(ws), 'app')", "echo in $0; exit 5\n")
    assert (done.stdout, done.returncode) == ("in sh\n", 5)


def test_a_helper_shares_files_processes_and_network_where_it_has_none(
    made: Made, busybox: str, shellless: str
) -> None:
    made.compose(f"  app: {{image: '{shellless}', stop_grace_period: 0s}}")
    ws = made.workspace()
    stack.up(ws, stack.select(ws), limits=stack.Limits(20))
    call = f"stack.shell(ws, stack.select(ws), 'app', helper_image={busybox!r})"
    done = entered(made, call, "ls; ps; wget -q -O - http://127.0.0.1/only-here\n")
    assert "only-here" in done.stdout.split()
    assert "/httpd -f -p 80" in done.stdout
    assert "FROM scratch" in done.stdout
    assert "has no shell" in done.stderr
    assert done.returncode == 0


def test_an_image_can_be_entered_without_a_service(made: Made, busybox: str) -> None:
    done = entered(made, f"stack.shell_of_image(ws, {busybox!r})", "echo here; exit 3\n")
    assert (done.stdout, done.returncode) == ("here\n", 3)
    ws = made.workspace()
    with pytest.raises(CheckFailedError, match="is not in the local store"):
        stack.shell_of_image(ws, "hullwright-test/nowhere:1")


def test_what_does_not_run_is_not_entered(made: Made, busybox: str) -> None:
    made.compose(f"  app: {{image: {busybox}, command: 'true'}}")
    ws = made.workspace()
    with pytest.raises(CheckFailedError, match="app was not started"):
        stack.shell(ws, stack.select(ws), "app")
    with pytest.raises(UsageError, match='unknown service "ap" — did you mean "app"'):
        stack.shell(ws, stack.select(ws), "ap")
    stack.up(ws, stack.select(ws), limits=stack.Limits(20))
    with pytest.raises(CheckFailedError, match="app does not run: it is exited"):
        stack.exec_(ws, stack.select(ws), "app", ["true"])
