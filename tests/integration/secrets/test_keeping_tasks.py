"""The tasks as people call them, by `invoke` and by `hullwright`: exit codes, pipes, terminals."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from hullwright.secrets import environment
from vaults import Vault, made

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT: Final = Path(__file__).parents[3]
BIN: Final = Path(sys.executable).parent
OWN: Final = ".env.sops.yaml"
STAGING: Final = "deploy/environments/staging.sops.yaml"
COMPOSE: Final = """\
services:
  web:
    image: x
    environment:
      TOKEN: ${TOKEN}
      PASSED:
      PORT: ${PORT:-80}
    secrets: [certificate]
  job:
    image: x
    profiles: [jobs]
    environment: [JOB_KEY]
secrets:
  certificate:
    environment: CERTIFICATE
"""


def call(
    vault: Vault, *words: str, code: int = 0, given: str = "", program: str = "hullwright"
) -> subprocess.CompletedProcess[str]:
    """Run a task, and assert how it ends."""
    done = subprocess.run(
        (str(BIN / program), *words),
        cwd=vault.root,
        env=vault.repository.environ,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == code, f"{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def shop(vault: Vault) -> Vault:
    """A small repository with a stack, an example, and the secrets that they ask for."""
    vault.repository.write("compose.yaml", COMPOSE)
    vault.repository.write(".env.example", "TOKEN=change-me\n# PORT=80\nMODE=fast\n")
    vault.repository.write(
        "tasks.py", "from hullwright.tasks import collection\nns = collection()\n"
    )
    vault.seal(OWN, "TOKEN: first-value\nPASSED: x-value\nCERTIFICATE: y-value\n")
    rule = f"creation_rules:\n  - path_regex: ^.env\n    age: {vault.development.public}\n"
    vault.repository.write(".sops.yaml", rule)
    return vault


def value_of(vault: Vault, name: str, env: str | None = None) -> str:
    return environment(vault.workspace(), env)[name].reveal()


@pytest.mark.parametrize("program", ["hullwright", "invoke"])
def test_dotted_tasks_are_there_for_both_programs(shop: Vault, program: str) -> None:
    listed = call(shop, "--list", program=program).stdout
    for name in ("edit", "set", "list", "rotate", "recipients", "check", "init"):
        assert f"secrets.{name} " in listed
    shown = call(shop, "secrets.list", program=program).stdout
    assert shown.split() == ["development", "·", OWN, "·", "3", "values", "TOKEN", "PASSED",
                             "CERTIFICATE"]  # fmt: skip


def test_a_check_names_what_profiles_and_examples_ask_for(shop: Vault) -> None:
    done = json.loads(call(shop, "secrets.check", "--format", "json", code=1).stdout)
    assert not done["held"]
    (finding,) = done["findings"]
    assert finding["id"] == "names.missing"
    assert finding["message"].startswith("JOB_KEY is asked for by services.job.environment")
    assert finding["remedy"] == "invoke secrets.set --key JOB_KEY"
    call(shop, "secrets.set", "--key", "JOB_KEY", given="some-value\n")
    assert call(shop, "secrets.check").stdout.endswith("nothing is wrong\n")
    call(shop, "secrets.set", "--key", "ONE_TOO_MANY", given="some-value\n")
    told = call(shop, "secrets.check").stdout
    assert "ONE_TOO_MANY is in it, and nothing asks for it   [names.extra]" in told
    assert told.endswith("1 warning\n")


@pytest.mark.parametrize(
    ("given", "value"),
    [("one-line\n", "one-line"), ("one-line\r\n", "one-line"), ("one-line", "one-line"),
     ("two\nlines\n", "two\nlines\n"), (" around ", " around ")],
)  # fmt: skip
def test_a_value_from_a_pipe_is_taken_as_it_is(shop: Vault, given: str, value: str) -> None:
    done = call(shop, "secrets.set", "--key", "TOKEN", "--echo", given=given)
    assert value_of(shop, "TOKEN") == value
    assert value.strip() not in f"{done.stdout}{done.stderr}"


@pytest.mark.parametrize("words", [(), ("--key", "TOKEN=on-the-command-line")])
def test_a_value_on_the_command_line_is_2_and_not_repeated(
    shop: Vault, words: Sequence[str]
) -> None:
    told = call(shop, "secrets.set", *words, code=2, given="x").stderr
    assert "no value on the command line" in told
    assert "on-the-command-line" not in told
    assert value_of(shop, "TOKEN") == "first-value"


def test_an_empty_pipe_is_2(shop: Vault) -> None:
    told = call(shop, "secrets.set", "--key", "TOKEN", code=2).stderr
    assert "no value for TOKEN came on standard input" in told
    assert value_of(shop, "TOKEN") == "first-value"


def test_dry_runs_tell_of_a_plan_and_change_nothing(shop: Vault) -> None:
    before = (shop.root / OWN).read_bytes(), (shop.root / ".sops.yaml").read_bytes()
    add = ("secrets.recipients", "--add", shop.other.public)
    assert call(shop, "secrets.set", "--key", "A", "--dry").stdout == f"change {OWN}: add A\n"
    assert call(shop, *add, "--dry").stdout.splitlines() == [
        "change .sops.yaml: the rule ^.env",
        f"change {OWN}: encrypted to 2 recipients, the same data key",
        f"  + {shop.other.public}",
    ]
    assert call(shop, "secrets.rotate", "--dry").stdout.startswith(f"change {OWN}: a new data key")
    assert call(shop, "secrets.init", "--dry").stdout.startswith("create ~/.config/sops/age/keys")
    assert call(shop, "secrets.edit", "--dry").stdout.startswith(f"change {OWN}: what the editor")
    assert before == ((shop.root / OWN).read_bytes(), (shop.root / ".sops.yaml").read_bytes())
    assert not (Path(shop.repository.environ["HOME"]) / ".config").exists()


def test_an_edit_without_a_terminal_is_2(shop: Vault) -> None:
    told = call(shop, "secrets.edit", code=2).stderr
    assert "secrets.edit needs a terminal" in told


def in_terminal(vault: Vault, words: Sequence[str], typed: str, **environ: str) -> tuple[int, str]:
    """Run a task on a terminal of its own; return its exit code and all that is seen there."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(vault.root)
        os.execve(BIN / "hullwright", ("hullwright", *words), vault.repository.environ | environ)  # noqa: S606  the child of a terminal
    seen = b""
    os.write(terminal, typed.encode())
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        seen += piece
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), seen.decode()


def test_an_editor_has_the_terminal(shop: Vault, tmp_path: Path) -> None:
    script = tmp_path / "editor.sh"
    script.write_text(
        '#!/bin/sh\n[ -t 0 ] && [ -t 1 ] || exit 1\nread -r line\necho "TYPED: $line" >>"$1"\n'
    )
    script.chmod(0o755)
    code, seen = in_terminal(shop, ["secrets.edit"], "by-a-person\n", EDITOR=str(script))
    assert code == 0, seen
    assert f"{OWN}   edited" in seen
    assert value_of(shop, "TYPED") == "by-a-person"


def test_a_prompt_does_not_show_the_value(shop: Vault, tmp_path: Path) -> None:
    # What is typed before the prompt would be echoed by the terminal, so the prompt is waited for.
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(shop.root)
        words = ("hullwright", "secrets.set", "--key", "TOKEN")
        os.execve(BIN / "hullwright", words, shop.repository.environ)  # noqa: S606  the child of a terminal
    seen = b""
    while b"(not shown): " not in seen:
        seen += os.read(terminal, 4096)
    os.write(terminal, b"typed-value\n")
    try:
        while piece := os.read(terminal, 4096):
            seen += piece
    except OSError:
        pass
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0, seen
    assert b"value of TOKEN" in seen
    assert b"typed-value" not in seen
    assert value_of(shop, "TOKEN") == "typed-value"


def test_errors_have_their_exit_codes(shop: Vault) -> None:
    told = call(shop, "secrets.recipients", "--add", "age1x", code=2).stderr
    assert '✗ "age1x" is not valid as a recipient' in told
    remove = ("secrets.recipients", "--remove", shop.development.public)
    assert "the last recipient" in call(shop, *remove, code=2).stderr
    assert (
        'unknown environment "prod"' in call(shop, "secrets.list", "--env", "prod", code=2).stderr
    )
    (shop.root / OWN).unlink()
    assert "missing: .env.sops.yaml" in call(shop, "secrets.rotate", code=1).stderr


def test_the_root_stack_is_in_order_and_a_second_environment_has_another_key(
    tmp_path: Path,
) -> None:
    root = made(tmp_path)
    development = "deploy/environments/development.agekey"
    for name in (OWN, ".sops.yaml", ".env.example", "docker-compose.yml", development):
        shutil.copy(ROOT / name, root.root / name)
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    more = "\n[tool.hullwright.environments.live]\nproduction = true\n"
    (root.root / "pyproject.toml").write_text(f"{text}{more}", encoding="utf-8")
    own = call(root, "secrets.check", "--env", "development").stdout
    assert own.endswith("nothing is wrong\n")

    root.repository.environ["SOPS_AGE_KEY_FILE"] = str(root.other.path)
    live = ("--env", "live")
    made_ = call(root, "secrets.init", *live).stdout
    assert "a rule for deploy/environments/live.sops.yaml added" in made_
    told = call(root, "secrets.check", *live, code=1).stdout
    assert "live has no encrypted file; asked for are HISTORY_TOKEN, POSTGRES_PASSWORD" in told
    for name in ("POSTGRES_PASSWORD", "HISTORY_TOKEN"):
        call(root, "secrets.set", "--key", name, *live, given=f"{name.lower()}-of-live")
    assert call(root, "secrets.check").stdout.endswith("nothing is wrong\n")
    assert "new data key, 2 values" in call(root, "secrets.rotate", *live).stdout
    (public,) = [word for word in text.split('"') if word.startswith("age1")]
    refused = call(root, "secrets.recipients", "--add", public, *live, code=2).stderr
    assert "live refuses the development key" in refused
