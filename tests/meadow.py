"""The example rust-services as its tests use it: jobs, stacks beside each other, figures, tags."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import imaging
from composing import docker, there
from examples import Answer, Example, free_port, until_true
from registries import PASSWORD, USER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROUTE: Final = {
    "kind": "route",
    "input": {
        "points": [{"latitude": 0, "longitude": longitude} for longitude in (0, 3, 1, 2)],
    },
}
VEGETATION: Final = {
    "kind": "vegetation",
    "input": {"red": [0.1, 0.4, 0.0], "infrared": [0.5, 0.4, 0.0]},
}
POSITION: Final = {
    "kind": "position",
    "input": {
        "measured": {"latitude": 54.000021, "longitude": 13.4, "height_m": 17.5},
        "base_measured": {"latitude": 54.10002, "longitude": 13.5, "height_m": 22.25},
        "base_known": {"latitude": 54.1, "longitude": 13.5, "height_m": 20.0},
    },
}


def beside(of: Example, name: str) -> Example:
    """Return the same repository with a project and a port of its own, beside other stacks."""
    project, port = f"{of.project}-{name}", free_port()
    environ = {"COMPOSE_PROJECT_NAME": project, "PORT": str(port)}
    return replace(of, project=project, port=port, environ=of.environ | environ)


def handed_in(of: Example, job: object) -> int:
    """Return the number of a job that was accepted."""
    answer = of.request("POST", "/jobs", job)
    assert (answer.status, answer.json["state"]) == (202, "waiting"), answer.text
    return int(answer.json["id"])


def ended(of: Example, number: int) -> Any:
    """Return a job once it is done or has failed."""

    def told() -> Any:
        return of.request("GET", f"/jobs/{number}").json

    until_true(lambda: told()["state"] in {"done", "failed"}, f"job {number} ends")
    return told()


def containers(of: Example) -> dict[str, Any]:
    """Return what the engine knows of each container of a project, by compose service."""
    ids = there(of.project)["containers"]
    found = json.loads(docker("inspect", *ids))
    return {each["Config"]["Labels"]["com.docker.compose.service"]: each for each in found}


def value(answer: Answer, name: str) -> float:
    """Return a figure of what Prometheus would read; 0 where it is not there."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", answer.text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def tags(of: Example, address: str, service: str) -> set[str]:
    """Return the tags that the registry itself tells to who knows the password."""
    host, _, port = address.partition(":")
    told = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    answer = of.request(
        "GET",
        f"/v2/team/meadow/{service}/tags/list",
        headers={"Authorization": f"Basic {told}"},
        at=(host, int(port)),
    )
    return set(answer.json["tags"])


@contextmanager
def logged_out(of: Example, address: str, folder: Path) -> Iterator[Example]:
    """Yield the same repository with a registry, and a Docker that has no login yet."""
    folder.mkdir()
    given = {"HULLWRIGHT_REGISTRY": f"{address}/team", "DOCKER_CONFIG": str(folder)}
    try:
        yield replace(of, environ=of.environ | given)
    finally:
        imaging.remove(imaging.matching(f"{address}/team/*", f"{address}/team/*/*"))
