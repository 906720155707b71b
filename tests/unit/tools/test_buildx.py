"""Exact words for buildx, and what its lines mean."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hullwright.images import Platform
from hullwright.tools.buildx import (
    Activity,
    BakeTarget,
    StepLog,
    StepName,
    Vertex,
    bake_argv,
    bake_name,
    check_argv,
    definition_json,
    parse_metadata,
    parse_progress,
    parse_step,
    parse_target,
)


def test_a_plain_bake_builds_all_that_its_definition_has() -> None:
    assert bake_argv(Path("/run/d.json"), Path("/run/m.json")) == (
        *("docker", "buildx", "bake", "--file", "/run/d.json", "--progress", "rawjson"),
        *("--metadata-file", "/run/m.json"),
    )


def test_each_flag_of_a_bake_is_one_of_buildx() -> None:
    argv = bake_argv(
        Path("d"),
        Path("m"),
        targets=("api", "web"),
        no_cache=True,
        pull=True,
        overrides=("*.output=type=cacheonly", "a.args.X=1"),
        allow=("network.host", "fs.read=/etc/ca.pem"),
    )
    assert argv[9:] == (
        *("--no-cache", "--pull", "--set", "*.output=type=cacheonly", "--set", "a.args.X=1"),
        *("--allow=network.host", "--allow=fs.read=/etc/ca.pem", "api", "web"),
    )


def test_a_check_builds_nothing_and_shows_bakes_own_words() -> None:
    argv = check_argv(Path("d"), overrides=("a.args.X=1",), allow=("fs.read=/x",))
    assert argv == (
        *("docker", "buildx", "bake", "--check", "--file", "d", "--progress", "quiet"),
        *("--set", "a.args.X=1", "--allow=fs.read=/x"),
    )


def test_a_definition_leaves_out_what_is_not_asked_for() -> None:
    document = json.loads(definition_json([BakeTarget("api", ".", "Dockerfile")]))
    assert document == {
        "group": {"default": {"targets": ["api"]}},
        "target": {
            "api": {
                "context": ".",
                "dockerfile": "Dockerfile",
                "output": ["type=docker,oci-mediatypes=true"],
                "attest": ["type=provenance,disabled=true"],
            }
        },
    }


def test_a_value_is_never_a_template_of_bake() -> None:
    target = BakeTarget("api", ".", "Dockerfile", arguments={"A": "${HOME} %{if} $x"})
    assert target.definition()["args"] == {"A": "$${HOME} %%{if} $x"}


@pytest.mark.parametrize(
    ("service", "stage", "name"),
    [
        ("api", "", "api"),
        ("api", "production", "api-production"),
        ("shop.api", "a/b", "shop_api-a_b"),
    ],
)
def test_a_target_has_a_name_that_bake_accepts(service: str, stage: str, name: str) -> None:
    assert bake_name(service, stage) == name


def test_a_status_line_tells_of_vertexes_activities_and_logs() -> None:
    line = json.dumps(
        {
            "vertexes": [
                {
                    "digest": "sha256:a",
                    "name": "[1/2] RUN make",
                    "started": "2026-11-21T00:48:52.931697518Z",
                    "completed": "2026-11-21T00:48:53Z",
                    "cached": True,
                    "error": "exit code: 1",
                }
            ],
            "statuses": [{"vertex": "sha256:a", "id": "exporting layers", "completed": "x"}],
            "logs": [{"vertex": "sha256:a", "data": base64.b64encode(b"hi \xff\n").decode()}],
        }
    )
    assert parse_progress(line) == [
        Vertex(
            "sha256:a",
            "[1/2] RUN make",
            datetime(2026, 11, 21, 0, 48, 52, 931697, tzinfo=UTC),
            datetime(2026, 11, 21, 0, 48, 53, tzinfo=UTC),
            cached=True,
            error="exit code: 1",
        ),
        Activity("sha256:a", "exporting layers", completed=True),
        StepLog("sha256:a", "hi \N{REPLACEMENT CHARACTER}\n"),
    ]


@pytest.mark.parametrize(
    "line", ["", "ERROR: no builder", '{"vertexes":', '{"vertexes":[1]}', "{}x", '{"logs":[{}]}']
)
def test_a_line_that_is_no_status_is_plain_text(line: str) -> None:
    assert parse_progress(line) is None


@pytest.mark.parametrize(
    ("name", "prefixed", "step"),
    [
        ("[1/3] FROM alpine", False, StepName("", "", "", 1, 3, "FROM alpine")),
        ("[api 2/3] RUN x", True, StepName("api", "", "", 2, 3, "RUN x")),
        ("[build 2/3] RUN x", False, StepName("", "", "build", 2, 3, "RUN x")),
        ("[api build  2/13] RUN x", True, StepName("api", "", "build", 2, 13, "RUN x")),
        (
            "[api linux/amd64->arm64 build 2/3] RUN [ -f x ]",
            True,
            StepName("api", "linux/amd64->arm64", "build", 2, 3, "RUN [ -f x ]"),
        ),
        ("[linux/arm/v7 2/3] RUN x", False, StepName("", "linux/arm/v7", "", 2, 3, "RUN x")),
        ("[api internal] load .dockerignore", True, None),
        ("exporting to image", False, None),
        ("[auth] library/x:pull token for example", False, None),
    ],
)
def test_the_name_of_a_step_has_parts(name: str, prefixed: bool, step: StepName | None) -> None:  # noqa: FBT001  a case
    assert parse_step(name, prefixed=prefixed) == step


def test_a_vertex_belongs_to_the_target_that_its_name_begins_with() -> None:
    assert parse_target("[api internal] load x", ["api", "web"]) == "api"
    assert parse_target("[web] exporting to image", ["api", "web"]) == "web"
    assert parse_target("[internal] load local bake definitions", ["api", "web"]) == ""
    assert parse_target("exporting to image", ["api"]) == "api"


def test_metadata_is_read_by_target() -> None:
    text = json.dumps(
        {
            "api": {
                "buildx.build.ref": "default/default/x",
                "containerimage.digest": "sha256:1",
                "containerimage.descriptor": {
                    "mediaType": "m",
                    "platform": {"os": "linux", "architecture": "arm", "variant": "v7"},
                },
            },
            "web": {"buildx.build.ref": "default/default/y"},
            "buildx.build.warnings": [],
        }
    )
    metadata = parse_metadata(text)
    assert set(metadata) == {"api", "web"}
    assert metadata["api"].digest == "sha256:1"
    assert metadata["api"].platform == Platform("linux", "arm", "v7")
    assert metadata["web"].digest == ""
    assert metadata["web"].platform is None
    assert parse_metadata("") == {}
