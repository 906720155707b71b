"""The quickstart itself: one command from a clone to a page that shows its runs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from e2e.conftest import ROOT, Clone, stand_in
from hullwright.provision.observe import environment_stamp
from hullwright.provision.plan_tools import STAMP_NAME


def lend_environment(clone: Clone) -> None:
    """Make the environment of this run that of a clone too, so that setup has nothing to do.

    A link to it would not be enough: its stamp names the folder that it was made for.
    """
    folder, ours = clone.path / ".venv", Path(sys.prefix)
    folder.mkdir()
    for name in ("bin", "lib"):
        (folder / name).symlink_to(ours / name)
    shutil.copy(ours / "pyvenv.cfg", folder)
    (folder / STAMP_NAME).write_text(f"{environment_stamp(clone.path)}\n", encoding="utf-8")
    # The clone's own code runs, and not that of the repository whose environment this is.
    clone.environ["PYTHONPATH"] = str(clone.path / "src")


def give_time(clone: Clone) -> None:
    """Commit a budget of cold starts that is kept beside other tests; a benchmark holds ours."""
    file = clone.path / "pyproject.toml"
    text = file.read_text(encoding="utf-8")
    assert 'cold-start-budget = "20s"' in text
    file.write_text(text.replace('budget = "20s"', 'budget = "10m"'), encoding="utf-8")
    name = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    clone.run("git", *name, "commit", "--quiet", "--all", "--message", "Give time")


def get(url: str) -> str:
    with urlopen(url, timeout=10) as answer:  # noqa: S310  our own dashboard on loopback
        return str(answer.read().decode())


@pytest.mark.docker
def test_the_page_of_the_printed_address_shows_every_run(clone: Clone) -> None:
    give_time(clone)
    lend_environment(clone)
    done = clone.run("./scripts/quickstart")
    last, hint = done.stdout.splitlines()[-2:]
    assert last == f"the dashboard, with these runs: {clone.url}/"
    assert hint.startswith("go on with: ")
    records = json.loads(get(f"{clone.url}/records"))["records"]
    assert [record["kind"] for record in records] == ["up", "sizes", "cold-start", "build"]
    assert {record["status"] for record in records} == {"done"}
    page = get(clone.url)
    version = clone.json("version")["version"]
    assert page.count(f'<span title="{version}">') == len(records)
    for heading in ("Builds", "Cold starts", "Sizes", "Other runs"):
        assert f"<h2>{heading}</h2>" in page
    # As the README says, and of everything that it started nothing is left.
    clone.invoke("down", "--volumes", "--yes")
    assert clone.containers(f"label=com.docker.compose.project={clone.project}") == []


@pytest.mark.parametrize("words", [["--nonsense"], ["install"], ["-h"]])
def test_a_word_that_it_does_not_know_runs_nothing(tmp_path: Path, words: list[str]) -> None:
    scripts, programs = tmp_path / "scripts", tmp_path / "programs"
    scripts.mkdir()
    programs.mkdir()
    shutil.copy(ROOT / "scripts/quickstart", scripts)
    ran = tmp_path / "ran"
    stand_in(scripts, "setup", f"echo setup >>{ran}\nexit 1\n")
    stand_in(programs, "invoke", f"echo invoke >>{ran}\nexit 1\n")
    done = subprocess.run(
        [scripts / "quickstart", *words],
        env={"PATH": f"{programs}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "usage: ./scripts/quickstart [--install]\n"
    assert done.stdout == ""
    assert not ran.exists()
