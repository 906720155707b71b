"""What `ps` and the plan of `down` make of what the engine has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from hullwright import stack
from hullwright.config.models import Stack
from hullwright.errors import UnavailableError
from hullwright.stack.selection import Selection
from replaying import workspace
from whaling import Engine

if TYPE_CHECKING:
    from pathlib import Path

SELECTION = Selection(Stack("default", ("compose.yaml",))).named("shop")

NOON_S = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()


def container(service: str, *, state: str = "running", **labels: str) -> dict[str, Any]:
    """Return a container as `docker container inspect` shows it."""
    given = {"com.docker.compose.service": service, "com.docker.compose.project": "shop"}
    return {
        "Id": f"id-{service}",
        "Name": f"/shop-{service}-1",
        "Created": "2026-11-21T12:00:00Z",
        "State": {"Status": state, "ExitCode": 3, "StartedAt": "2026-11-21T12:00:00Z"},
        "HostConfig": {},
        "Config": {"Image": "shop/app:1", "Labels": {**given, **labels}},
        "NetworkSettings": {"Ports": {}},
        "Mounts": [],
    }


def test_ps_shows_services_and_no_one_off_containers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = {"org.opencontainers.image.version": "1.2.3"}
    one_off = container("tool", **{"com.docker.compose.oneoff": "True"})
    ended = container("app", state="exited", **version)
    Engine(containers=[one_off, container("db"), ended]).serve(monkeypatch)
    monkeypatch.setattr("hullwright.stack.looking.time.time", lambda: NOON_S + 60.0)
    state = stack.ps(workspace(tmp_path), SELECTION)
    app, db = state.services
    assert (app.service, app.state, app.exit_code, app.uptime_s) == ("app", "exited", 3, None)
    assert app.version == "1.2.3"
    assert db.uptime_s == 60.0
    only_db = Selection(SELECTION.stack, ("db",)).named("shop")
    assert [each.service for each in stack.ps(workspace(tmp_path), only_db).services] == ["db"]


@pytest.mark.parametrize("volumes", [False, True])
def test_down_plans_what_is_there_and_volumes_if_asked(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    volumes: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    served = Engine(
        containers=[container("db"), container("app")],
        networks=[{"Name": "shop_default"}],
        volumes=["shop_data"],
    )
    served.serve(monkeypatch)
    plan = stack.plan_down(workspace(tmp_path), SELECTION, volumes=volumes)
    lines = [
        "project shop",
        "  remove    container shop-app-1",
        "  remove    container shop-db-1",
        "  remove    network shop_default",
        *(["  remove    volume shop_data"] if volumes else []),
    ]
    assert plan.text().splitlines() == lines
    assert {asked[1:] for asked in served.asked} == {("com.docker.compose.project=shop",)}


def test_down_of_nothing_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Engine().serve(monkeypatch)
    plan = stack.plan_down(workspace(tmp_path), SELECTION, volumes=True)
    assert plan.text() == "project shop\n  nothing is there"


def test_without_an_engine_there_is_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Engine(failure="Cannot connect to the Docker daemon at unix:///x.").serve(monkeypatch)
    with pytest.raises(UnavailableError, match="does not answer"):
        stack.ps(workspace(tmp_path), SELECTION)
