"""The configuration as Markdown and JSON; its text form is a golden file."""

from __future__ import annotations

import json
from pathlib import Path

from hullwright.config.load import load
from hullwright.report import config as report

TABLE = """
project = "shop"
services.web.budgets = [{ metric = "unpacked", hard = "1.5MB" }]
stacks.default = { files = ["compose.yaml"], cold-start-budget = "1m30s" }
push.gates = ["scan 'a|b'"]
"""


def test_json_has_the_values_as_a_file_writes_them_and_their_origins(tmp_path: Path) -> None:
    (tmp_path / "hullwright.toml").write_text(TABLE, encoding="utf-8")
    answer = json.loads(json.dumps(report.as_json(load(tmp_path, {}, {"registry": "ghcr.io"}))))
    assert answer["schema"] == 1
    assert answer["config"]["services"]["web"]["budgets"] == [
        {"metric": "unpacked", "hard": "1500kB"}
    ]
    assert answer["config"]["stacks"]["default"]["cold-start-budget"] == "1m30s"
    assert answer["config"]["push"]["gates"] == ["scan 'a|b'"]
    assert answer["origins"]["registry"] == "command line"
    assert answer["origins"]["project"] == "hullwright.toml"
    assert answer["origins"]["history.path"] == "default"
    assert answer["origins"]["platforms"] == "default: this machine's"


def test_what_was_found_says_so(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    (tmp_path / "compose.yaml").write_text("services: {db: {image: postgres}}", encoding="utf-8")
    text = report.text(load(tmp_path, {}))
    found = [line.split(" = ")[0] for line in text.splitlines() if "found in the repo" in line]
    assert found[-1] == "stacks.default.files"
    assert any(key.endswith(".dockerfile") for key in found)
    (prefix,) = [line for line in text.splitlines() if ".tag-prefix = " in line]
    assert prefix.endswith("  default")


def test_markdown_is_one_table_whose_cells_hold(tmp_path: Path) -> None:
    (tmp_path / "hullwright.toml").write_text(TABLE, encoding="utf-8")
    lines = report.markdown(load(tmp_path, {})).splitlines()
    assert lines[0] == "| key | value | from |"
    assert '| `project` | `"shop"` | hullwright.toml |' in lines
    assert "| `push.gates` | `[\"scan 'a\\|b'\"]` | hullwright.toml |" in lines
