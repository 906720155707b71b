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
    """Return the images that are called `PROJECT` or `PROJECT/…`, on any registry, by name.

    By name, for the same bytes may have been built by others too, and an id is all of them. One
    that has no tag is returned by its id.
    """
    return matching(
        *(f"{place}{project}{rest}" for place in ("", "*/", "*/*/") for rest in ("", "/*"))
    )


def matching(*patterns: str) -> list[str]:
    """Return the images whose names match a pattern, as `named` does."""
    filters = [word for each in patterns for word in ("--filter", f"reference={each}")]
    rows = _listed("--format", "{{.ID}} {{.Repository}}:{{.Tag}}", *filters)
    split = (row.split(" ", 1) for row in rows)
    return list(dict.fromkeys(i if "<none>" in name else name for i, name in split))


def labelled(project: str) -> list[str]:
    """Return the ids of the images of a project, those without a name too."""
    return list(dict.fromkeys(_listed("--all", "--quiet", "--filter", f"label={LABEL}={project}")))


def forget(project: str) -> None:
    """Remove the images of a project: those with a name now, the others when the suite ends."""
    _projects.add(project)
    remove(named(project))


def sweep() -> None:
    """Remove what is left of all projects that were to be forgotten."""
    if not _projects:
        return
    found = list(dict.fromkeys(_listed("--all", "--quiet", "--filter", f"label={LABEL}")))
    told = _docker("image", "inspect", *found).stdout if found else "[]"
    remove(
        [
            image["Id"]
            for image in json.loads(told)
            if ((image.get("Config") or {}).get("Labels") or {}).get(LABEL) in _projects
        ]
    )
    _projects.clear()


def remove(images: list[str]) -> None:
    """Remove images by what they are called; one that is not there is none to remove."""
    if images:
        _docker("image", "rm", "--force", *images)


def _listed(*words: str) -> list[str]:
    for left in reversed(range(_QUESTIONS)):
        done = _docker("image", "ls", "--no-trunc", *words)
        if done.returncode == 0 or not left:
            break
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def _docker(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(("docker", *words), check=False, capture_output=True, text=True)
