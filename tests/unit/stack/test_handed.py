"""What runs was given values that need no key to be left out of what is shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hullwright import stack
from hullwright.config.models import Config, Secrets, Stack
from hullwright.outcome import Result
from hullwright.secret import Secret
from hullwright.secrets.sealed import secret_variables
from hullwright.tools import secretfolder
from hullwright.tools.secretfolder import SecretFile
from replaying import Replay, workspace

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from hullwright.workspace import Workspace

ENCRYPTED = """\
db:
    password: ENC[x]
    port: ENC[y]
TOKEN: ENC[z]
sops:
    age:
        - recipient: age1
          enc: x
    lastmodified: "2026-01-01T00:00:00Z"
    mac: ENC[m]
    version: 3.10.0
"""


def of(root: Path, *public: str, told: str = "") -> Workspace:
    (root / "compose.yaml").touch()
    (root / ".env.sops.yaml").write_text(ENCRYPTED)
    stacks = {"default": Stack("default", ("compose.yaml",))}
    config = Config("shop", stacks=stacks, secrets=Secrets(public=public))
    answers = {
        ("docker", "compose"): Result((), 0, json.dumps({"name": "shop", "services": {}})),
        ("docker", "ps"): Result((), 0, "first\nsecond\n"),
        ("docker", "container", "inspect"): Result((), 1, told, "no such container: second"),
    }
    place = {secretfolder.VARIABLE: str(root / "memory")}
    return workspace(root, config, Replay({}, results=answers), **place)


def test_names_of_secrets_need_no_key(tmp_path: Path) -> None:
    ws = of(tmp_path, "db.port")
    (tmp_path / "deploy/environments").mkdir(parents=True)
    (tmp_path / "deploy/environments/broken.sops.yaml").write_text("- [")
    assert secret_variables(ws) == {"DB_PASSWORD", "TOKEN"}


def test_values_of_what_runs_are_masked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secretfolder, "_in_memory", lambda _: True)
    (tmp_path / "memory").mkdir()
    given = ["TOKEN=another key's", "PATH=/usr/bin", "DB_PASSWORD=a=b=c=d"]
    ws = of(tmp_path, told=f"{json.dumps(given)}\nnull\n")
    folder = secretfolder.folder_of(ws.environ, "shop")
    assert folder is not None
    secretfolder.make(folder, [SecretFile("app", "pw", Secret("of a file"))], {"app": "1"})
    stack.mask_handed_over(ws, stack.select(ws), secret_variables(ws))
    said = "another key's, /usr/bin, a=b=c=d, of a file"
    assert ws.runner.redacted(said) == "***, /usr/bin, ***, ***"
