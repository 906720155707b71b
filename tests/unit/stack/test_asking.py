"""What a stack's files ask for: variables, keys that are passed on, secrets, whole files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hullwright.config.models import Config, Stack
from hullwright.outcome import Result
from hullwright.stack.asking import Asked, asked
from hullwright.stack.selection import select
from replaying import Replay, workspace

if TYPE_CHECKING:
    from pathlib import Path


def of(tmp_path: Path, model: dict[str, Any] | None) -> Asked:
    """Return what a model asks for; None is one that Compose cannot give."""
    (tmp_path / "c.yaml").write_text(
        "services: {web: {image: '${IMAGE}${TAG:?}'}}\n", encoding="utf-8"
    )
    answer = Result(("docker",), 0, json.dumps(model)) if model else Result(("docker",), 1, "", "x")
    config = Config("shop", stacks={"default": Stack("default", ("c.yaml",))})
    runner = Replay({}, results={("docker",): answer})
    ws = workspace(tmp_path, config, runner)
    return asked(ws, select(ws))


def test_keys_come_from_variables_profiles_passed_names_and_secrets(tmp_path: Path) -> None:
    found = of(
        tmp_path,
        {
            "services": {
                "web": {"environment": {"A": "${TOKEN}", "PASSED": None, "B": "${PORT:-80}"}},
                "job": {"environment": ["JOB_KEY", "SET=1"], "profiles": ["jobs"]},
            },
            "secrets": {"tls": {"environment": "CERTIFICATE"}, "file": {"file": "x"}},
            "configs": {"c": {"environment": "SETTINGS"}},
        },
    )
    assert found.required == {
        "TOKEN": "services.web.environment.A",
        "PASSED": "services.web.environment",
        "JOB_KEY": "services.job.environment",
        "CERTIFICATE": "secrets.tls",
        "SETTINGS": "configs.c",
    }
    assert found.known == {*found.required, "PORT"}
    assert not found.every


def test_a_service_that_takes_a_file_of_keys_asks_for_every_key(tmp_path: Path) -> None:
    model = {"services": {"web": {"env_file": [{"path": "/x/.env", "required": True}]}}}
    assert of(tmp_path, model).every


def test_where_compose_gives_no_model_only_variables_are_known(tmp_path: Path) -> None:
    found = of(tmp_path, None)
    # Which service a line belongs to is not known: only what Compose insists on is required.
    assert set(found.required) == {"TAG"}
    assert found.known == {"IMAGE", "TAG"}
    assert found.every
