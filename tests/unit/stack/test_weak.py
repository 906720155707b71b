"""What a start of production refuses: placeholders, and secrets that are too short."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from hullwright import stack
from hullwright.config.models import Config, Secrets, Stack
from hullwright.errors import UsageError
from hullwright.secret import Secret
from hullwright.stack import weak
from hullwright.tools.compose import parse_model
from replaying import Replay, workspace

if TYPE_CHECKING:
    from pathlib import Path

LONG: Final = "x" * 64
CONFIG: Final = Config(
    "shop",
    stacks={"default": Stack("default", ("compose.yaml",))},
    secrets=Secrets(min_length={"JWT_SECRET": 64}),
)


def looked_at(
    root: Path,
    values: dict[str, str | None],
    *,
    files: dict[str, str] | None = None,
    production: str = "production",
    **environ: str,
) -> None:
    """Look at a stack whose service gets these values, and these secrets as files."""
    (root / "compose.yaml").touch()
    ws = workspace(root, CONFIG, Replay({}), **environ)
    given: dict[str, str | Secret] = {name: Secret(each) for name, each in (files or {}).items()}
    selection = stack.select(ws, environment=given, dotenv=False, production=production)
    app: dict[str, Any] = {"image": "app", "environment": values}
    written = {
        "services": {"app": {"secrets": ["file"]}},
        "secrets": {"file": {"environment": "JWT_SECRET"}} if files or environ else {},
    }
    model = parse_model(json.dumps({"name": "shop", "services": {"app": app}}))
    weak.refuse(ws, selection, written, model, ["app"])


@pytest.mark.parametrize("value", ["CHANGE_ME", "change-me", "<a password>"])
def test_production_refuses_a_placeholder(tmp_path: Path, value: str) -> None:
    with pytest.raises(UsageError) as refused:
        looked_at(tmp_path, {"POSTGRES_PASSWORD": value, "JWT_SECRET": LONG})
    assert refused.value.what == "production refuses 1 value: POSTGRES_PASSWORD"
    assert refused.value.why == [("POSTGRES_PASSWORD", "is still a placeholder")]
    assert "secrets.set --key POSTGRES_PASSWORD --env production" in refused.value.next_step


def test_production_refuses_a_short_secret_and_does_not_show_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        looked_at(tmp_path, {"POSTGRES_PASSWORD": "CHANGE_ME", "JWT_SECRET": "hunter2"})
    assert refused.value.what == "production refuses 2 values: POSTGRES_PASSWORD, JWT_SECRET"
    reason = "has 7 characters; [secrets] min-length asks for 64"
    assert ("JWT_SECRET", reason) in refused.value.why
    assert "hunter2" not in f"{refused.value.why}{refused.value}"


def test_a_secret_that_is_handed_over_as_a_file_is_looked_at_too(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="refuses 1 value: JWT_SECRET"):
        looked_at(tmp_path, {}, files={"JWT_SECRET": "change-me"})
    with pytest.raises(UsageError, match="refuses 1 value: JWT_SECRET"):
        looked_at(tmp_path, {}, JWT_SECRET="short")
    looked_at(tmp_path, {}, files={"JWT_SECRET": LONG})


def test_a_dollar_sign_counts_once(tmp_path: Path) -> None:
    looked_at(tmp_path, {"JWT_SECRET": "$$" * 64, "EMPTY": "", "UNSET": None})
    with pytest.raises(UsageError, match="JWT_SECRET"):
        looked_at(tmp_path, {"JWT_SECRET": "$$" * 63})


def test_another_environment_may_have_them(tmp_path: Path) -> None:
    looked_at(tmp_path, {"POSTGRES_PASSWORD": "CHANGE_ME", "JWT_SECRET": "x"}, production="")
