"""`config` as people call it: the whole answer at once, and the exit code that scripts rely on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

GOLDEN: Final = Path(__file__).parent.parent / "golden" / "config"
BIN: Final = Path(sys.executable).parent


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with the three lines of `tasks.py`."""
    (tmp_path / ".git").mkdir()
    lines = "from hullwright.tasks import collection\n\nns = collection()\n"
    (tmp_path / "tasks.py").write_text(lines, encoding="utf-8")
    return tmp_path


def call(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HULLWRIGHT_")}
    return subprocess.run(
        [str(BIN / words[0]), *words[1:]],
        cwd=folder,
        env={**kept, "NO_COLOR": "1", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("program", ["invoke", "hullwright"])
def test_five_mistakes_are_2_and_all_five_are_told(program: str, repository: Path) -> None:
    broken = (GOLDEN / "five-mistakes.toml").read_text(encoding="utf-8")
    (repository / "hullwright.toml").write_text(broken, encoding="utf-8")
    done = call(repository, program, "config")
    assert done.returncode == 2
    assert (GOLDEN / "five-mistakes.txt").read_text(encoding="utf-8") in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("program", ["invoke", "hullwright"])
def test_json_is_the_only_output(program: str, repository: Path) -> None:
    (repository / "hullwright.toml").write_text('project = "shop"', encoding="utf-8")
    inner = repository / "deep" / "folder"
    inner.mkdir(parents=True)
    environ = {"HULLWRIGHT_REGISTRY": "127.0.0.1:5000"}
    done = call(inner, program, "config", "--format", "json", **environ)
    assert done.returncode == 0
    answer = json.loads(done.stdout)
    assert answer["config"]["project"] == "shop"
    assert answer["origins"]["registry"] == "HULLWRIGHT_REGISTRY"
