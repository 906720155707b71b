"""Images that tests made, and their way out of the local store.

The engine answers which images carry a label by looking into each that it has, which takes it a
second where there are hundreds; what is called in some way it finds at once. So a test removes its
images by their names when it ends. Those that lost their name to a newer one are removed with
those of all other tests, when the suite ends.
"""

from __future__ import annotations

import json
import subprocess
from typing import Final

LABEL: Final = "dev.hullwright.project"
# One that goes while the engine looks into it is an error of the whole question.
_QUESTIONS: Final = 5

_projects: Final[set[str]] = set()


def named(project: str) -> list[str]:
    """Return the ids of the images that are called `PROJECT` or `PROJECT/…`, on any registry."""
    patterns = [f"{place}{project}{rest}" for place in ("", "*/", "*/*/") for rest in ("", "/*")]
    return _listed(*(word for each in patterns for word in ("--filter", f"reference={each}")))


def labelled(project: str) -> list[str]:
    """Return the ids of the images of a project, those without a name too."""
    return _listed("--all", "--filter", f"label={LABEL}={project}")


def forget(project: str) -> None:
    """Remove the images of a project: those with a name now, the others when the suite ends."""
    _projects.add(project)
    _remove(named(project))


def sweep() -> None:
    """Remove what is left of all projects that were to be forgotten."""
    if not _projects:
        return
    found = _listed("--all", "--filter", f"label={LABEL}")
    told = _docker("image", "inspect", *found).stdout if found else "[]"
    _remove(
        [
            image["Id"]
            for image in json.loads(told)
            if ((image.get("Config") or {}).get("Labels") or {}).get(LABEL) in _projects
        ]
    )
    _projects.clear()


def _listed(*words: str) -> list[str]:
    for left in reversed(range(_QUESTIONS)):
        done = _docker("image", "ls", "--quiet", "--no-trunc", *words)
        if done.returncode == 0 or not left:
            break
    assert done.returncode == 0, done.stderr
    return list(dict.fromkeys(done.stdout.split()))


def _remove(images: list[str]) -> None:
    if images:
        # Others may have removed one meanwhile: what two tests share has one id.
        _docker("image", "rm", "--force", *images)


def _docker(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(("docker", *words), check=False, capture_output=True, text=True)
