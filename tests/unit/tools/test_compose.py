"""Compose's words, and its model as values."""

from __future__ import annotations

import pytest

from hullwright.tools.compose import (
    Build,
    Dependency,
    Invocation,
    Port,
    Probe,
    duration_s,
    parse_hashes,
    parse_model,
)

MODEL = """{
  "name": "shop",
  "services": {
    "app": {
      "image": "shop/app",
      "build": {"context": "/r", "dockerfile": "Dockerfile", "target": "production"},
      "depends_on": {
        "db": {"condition": "service_healthy", "required": true},
        "mail": {"condition": "service_started", "required": false}
      },
      "ports": [
        {"mode": "ingress", "host_ip": "127.0.0.1", "target": 80, "published": "8080",
         "protocol": "tcp"},
        {"target": 53, "protocol": "udp"}
      ],
      "deploy": {"replicas": 2, "restart_policy": {"condition": "any"}}
    },
    "db": {
      "image": "postgres:17",
      "restart": "unless-stopped",
      "healthcheck": {"test": ["CMD", "pg_isready"], "interval": "1m30s", "timeout": "250ms",
                      "retries": 5, "start_period": "10s", "start_interval": "500ms"}
    },
    "idle": {"image": "x", "healthcheck": {"disable": true}, "scale": 0}
  }
}"""


def test_the_words_of_every_command() -> None:
    call = Invocation(("/r/a.yml", "/r/b.yml"), ("-",), "p", ("x", "y"), dotenv=False)
    common = [
        "docker", "compose", "--file", "/r/a.yml", "--file", "/r/b.yml", "--file", "-",
        "--project-name", "p", "--profile", "x", "--profile", "y", "--env-file", "/dev/null",
    ]  # fmt: skip
    assert call.config() == [*common, "config", "--format", "json"]
    assert call.written() == [
        *common, "config", "--no-interpolate", "--format", "json",
    ]  # fmt: skip
    assert call.hashes() == [*common, "config", "--hash", "*"]
    assert call.up(["app"]) == [
        *common, "--progress", "plain", "up", "--detach", "--no-build", "app",
    ]  # fmt: skip
    assert call.pull(["app"]) == [
        *common, "--progress", "plain", "pull", "--policy", "missing", "app",
    ]  # fmt: skip
    assert Invocation().argv("ps") == ["docker", "compose", "ps"]


def test_a_model_is_read_whole() -> None:
    model = parse_model(MODEL)
    app, db, idle = (model.services[name] for name in ("app", "db", "idle"))
    assert model.name == "shop"
    assert app.build == Build("/r", "Dockerfile", "production")
    assert app.depends_on == (
        Dependency("db", "service_healthy"),
        Dependency("mail", "service_started", required=False),
    )
    assert app.ports == (Port(80, "8080", "127.0.0.1"), Port(53, protocol="udp"))
    assert (app.scale, app.restart, app.probe) == (2, "always", None)
    assert db.restart == "unless-stopped"
    assert db.probe == Probe(
        test=("CMD", "pg_isready"),
        interval_s=90.0,
        start_period_s=10.0,
        start_interval_s=0.5,
        timeout_s=0.25,
        retries=5,
    )
    assert idle.probe == Probe(disabled=True)
    assert idle.scale == 0


def test_what_a_service_depends_on_comes_along() -> None:
    model = parse_model(MODEL)
    assert model.closure(["app"]) == ("app", "db")
    assert model.closure(["db"]) == ("db",)
    assert model.closure([]) == ("app", "db", "idle")


def test_a_model_that_is_shown_shows_no_value() -> None:
    model = parse_model('{"name": "x", "services": {"a": {"environment": {"A": "hunter2"}}}}')
    assert "hunter2" not in repr(model)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1m30s", 90.0), ("250ms", 0.25), ("1h0m0.5s", 3600.5), ("0s", 0.0), (None, None),
     (1_500_000_000, 1.5)],
)  # fmt: skip
def test_durations_in_composes_own_form(text: str | None, seconds: float | None) -> None:
    assert duration_s(text) == seconds


def test_hashes_by_service() -> None:
    assert parse_hashes("app 12ab\ndb 34cd\n") == {"app": "12ab", "db": "34cd"}
