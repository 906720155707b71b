"""Cold starts of two revisions in turn: what is told of them, and that nothing of it stays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from composing import docker
from hullwright.errors import ExitCode
from repositories import Repository, isolated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from composing import Made

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("nothing_thrown_away_is_left")]

SERVICES = """
  db:
    build: {{context: db}}
    image: {project}/db
    stop_grace_period: 0s
    env_file: [.env, own.env]
    healthcheck: {{test: "test -e /tmp/ready", interval: 1s}}
  app:
    image: {busybox}
    command: httpd -f -p 80
    stop_grace_period: 0s
    depends_on: {{db: {{condition: service_healthy}}}}
    healthcheck: {{test: "wget -q -O - http://127.0.0.1/bin/sh", interval: 1s}}
"""
DOCKERFILE = """\
FROM {busybox}
RUN mkdir -p /tmp && echo {project}
COPY start /start
CMD ["sh", "/start"]
"""
START = 'test "$MINE" = 7 || exit 3; sleep {takes_s}; touch /tmp/ready; exec sleep 600\n'


def run(repository: Repository, *words: str) -> subprocess.CompletedProcess[str]:
    """Return the end of a cold start in a repository."""
    return subprocess.run(
        (sys.executable, "-m", "hullwright", "cold-start", *words),
        cwd=repository.root,
        env=repository.environ,
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def shop(made: Made, busybox: str, tmp_path: Path) -> Iterator[Repository]:
    """Yield a repository whose branch `main` is one commit behind `work`, which is the same yet."""
    environ = isolated(tmp_path, XDG_STATE_HOME=str(tmp_path / "state"), NO_COLOR="1")
    environ |= {name: value for name, value in os.environ.items() if name.startswith("DOCKER_")}
    repository = Repository.made(made.folder, environ)
    made.compose(SERVICES.format(project=made.project, busybox=busybox))
    repository.write("db/Dockerfile", DOCKERFILE.format(project=made.project, busybox=busybox))
    repository.write("db/start", START.format(takes_s=0))
    repository.write(".gitignore", "*.env\n.env\n")
    repository.commit()
    # What Git does not keep: both revisions need it, and only the work tree has it.
    repository.write(".env", "MINE=7\n")
    repository.write("own.env", "OTHER=1\n")
    repository.git("checkout", "--quiet", "-b", "work")
    yield repository
    names = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    own = [name for name in names if name.startswith(f"{made.project}/")]
    if own:
        docker("image", "rm", "--force", *own)
    # Whatever a comparison built under names of its own is gone by now.
    assert not [name for name in names if name.startswith(f"{made.project}-cold-")]


def nothing_stays(repository: Repository) -> None:
    """Assert that no checkout is left, for Git and on the disk."""
    assert len(repository.git("worktree", "list").splitlines()) == 1
    against = repository.root / ".hullwright" / "against"
    assert not against.exists() or list(against.iterdir()) == []


def names_of(project: str) -> dict[str, str]:
    """Return what each image name of a project means."""
    listed = docker("image", "ls", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}")
    lines = (line.split() for line in listed.splitlines())
    return {name: meant for name, meant in lines if name.startswith(f"{project}/")}


def test_both_start_in_turn_and_what_differs_is_named(made: Made, shop: Repository) -> None:
    subprocess.run(
        (sys.executable, "-m", "hullwright", "build"),
        cwd=shop.root,
        env=shop.environ,
        check=True,
        capture_output=True,
    )
    before = names_of(made.project)
    assert before
    # What is not committed counts as ours, and the base is built anew for another content.
    shop.write("db/start", START.format(takes_s=2))
    done = run(shop, "--against", "main", "--runs", "2", "--format", "json")
    told = json.loads(done.stdout)
    # On a busy machine two runs differ by more than two seconds: then it is no slower.
    slower = told["verdict"] == "slower"
    assert done.returncode == (ExitCode.FAILED if slower else ExitCode.DONE), done.stderr
    assert [run["services"][0]["status"] for run in told["runs"]] == ["healthy"] * 2
    lines = [line for line in done.stderr.splitlines() if " of 2 " in line]
    assert ["main" in line for line in lines] == [True, False] * 2, done.stderr
    against = told["against"]
    assert (against["ref"], len(against["totals_s"])) == ("main", 2)
    assert {each["service"] for each in against["services"]} == {"db", "app"}
    assert {name: meant for name, meant in names_of(made.project).items() if name in before} == (
        before
    )
    nothing_stays(shop)


def test_a_base_that_does_not_build_is_named_as_such(shop: Repository) -> None:
    shop.write("db/Dockerfile", "FROM scratch\nCOPY nothing /\n")
    shop.commit()
    broken = shop.git("rev-parse", "HEAD")
    shop.git("checkout", "--quiet", "main")
    done = run(shop, "--against", "work")
    assert done.returncode == ExitCode.FAILED
    assert f"nothing to compare with: work ({broken[:7]}): not built: db" in done.stderr
    assert "COPY nothing /" in done.stderr
    nothing_stays(shop)


def test_a_base_that_does_not_come_up_is_explained_as_the_bases(shop: Repository) -> None:
    shop.write("db/start", "echo no licence; exit 4\n")
    shop.commit()
    shop.git("checkout", "--quiet", "main")
    done = run(shop, "--against", "work", "--runs", "2")
    assert done.returncode == ExitCode.FAILED
    assert "nothing to compare with: work (" in done.stderr
    assert "no licence" in done.stderr
    told = [line for line in done.stderr.splitlines() if "this tree" in line]
    assert told == ["build this tree"], "ours was built, and not started in vain"
    nothing_stays(shop)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--against", "mian"), 'unknown ref "mian" — did you mean "main"?'),
        (("--against", "main", "--runs", "1"), "one start of each says nothing"),
        (("--runs", "0"), "cannot be measured 0 times"),
        (("--runs", "some"), '"some" is no number of runs'),
        (("--against", "main", "--stack", "defualt"), 'unknown stack "defualt"'),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_done(
    shop: Repository, words: tuple[str, ...], told: str
) -> None:
    done = run(shop, *words)
    assert done.returncode == ExitCode.USAGE
    assert told in done.stderr
    assert not (shop.root / ".hullwright" / "images.json").exists()


def test_an_interrupt_leaves_neither_checkout_nor_image(made: Made, shop: Repository) -> None:
    shop.write("db/start", "echo up; exec sleep 600\n")
    shop.commit()
    with subprocess.Popen(
        (sys.executable, "-m", "hullwright", "cold-start", "--against", "HEAD", "--runs", "2"),
        cwd=shop.root,
        env=shop.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        follow = ("docker", "events", "--filter", "event=start", "--format", "{{.Actor.ID}}",
                  "--filter", "label=com.docker.compose.service=db", "--since", "1m")  # fmt: skip
        with subprocess.Popen(follow, stdout=subprocess.PIPE, text=True) as events:
            assert events.stdout is not None
            for line in events.stdout:
                name = docker("inspect", "--format", "{{.Name}}", line.strip(), check=False)
                if name.startswith(f"/{made.project}-cold-"):
                    break
            events.terminate()
        running.send_signal(signal.SIGTERM)
        assert running.stderr is not None
        running.stderr.read()
    assert running.returncode == ExitCode.INTERRUPTED
    nothing_stays(shop)


def test_a_dry_run_says_what_would_be_done(shop: Repository) -> None:
    subprocess.run(
        (sys.executable, "-m", "hullwright", "build"),
        cwd=shop.root,
        env=shop.environ,
        check=True,
        capture_output=True,
    )
    done = subprocess.run(
        (sys.executable, "-m", "hullwright", "--dry", "cold-start", "--against", "main"),
        cwd=shop.root,
        env=shop.environ,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == ExitCode.DONE, done.stderr
    commit = shop.git("rev-parse", "--short=7", "main")
    assert "  repeat    3 times, each from nothing" in done.stdout
    assert f"  against   main ({commit}): checked out, built, and started in turn" in done.stdout
    assert not (shop.root / ".hullwright" / "against").exists()
