"""The workflows of the document on CI's matrix are what GitHub and GitLab take."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from ruamel.yaml import YAML

from hullwright.build.matrix import Row
from hullwright.report.matrix import gitlab
from hullwright.run import Runner

if TYPE_CHECKING:
    from collections.abc import Sequence

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "ci-matrix.md"
_BLOCK: Final = re.compile(r"```yaml\n# (?P<name>\S+)\n(?P<text>.*?)```", re.DOTALL)
ROW: Final = Row(("api",), "production", "linux/arm64")


def files() -> dict[str, str]:
    """Return the files that the document shows, by their paths."""
    found = _BLOCK.finditer(DOCUMENT.read_text(encoding="utf-8"))
    return {match["name"]: match["text"] for match in found}


def test_actionlint_finds_nothing_in_the_workflow(tmp_path: Path) -> None:
    program = Runner(os.environ).find("actionlint")
    if program is None:
        pytest.skip("actionlint is not here; setup builds it where there is a Go")
    workflow = tmp_path / "release.yml"
    workflow.write_text(files()[".github/workflows/release.yml"], encoding="utf-8")
    found = subprocess.run(
        (program, str(workflow)), capture_output=True, text=True, timeout=60, check=False
    )
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("rows", [(ROW,), ()])
def test_the_child_pipeline_has_jobs_in_its_stages(rows: Sequence[Row]) -> None:
    made: dict[str, Any] = YAML(typ="safe").load(files()[".gitlab/release.yml"] + gitlab(rows))
    jobs = {
        name: job for name, job in made.items() if isinstance(job, dict) and name != "variables"
    }
    stages = {jobs[job.get("extends", name)]["stage"] for name, job in jobs.items()}
    assert stages == set(made["stages"])
    assert ("push-part" in jobs) is bool(rows)


def test_the_parent_pipeline_starts_the_file_that_its_job_writes() -> None:
    made = YAML(typ="safe").load(files()[".gitlab-ci.yml"])
    (started,) = made["release"]["trigger"]["include"]
    assert [started["artifact"]] == made[started["job"]]["artifacts"]["paths"]
