"""Setting, editing and rotating with the real sops: whole or not at all, never by an argument."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from hullwright.errors import CheckFailedError, LockedError, UnavailableError, UsageError
from hullwright.files import lock
from hullwright.report import secretkept as report
from hullwright.secret import Secret
from hullwright.secrets import MissingSecretsError, environment, keeping
from hullwright.tools import memory
from repositories import told

if TYPE_CHECKING:
    from hullwright.workspace import Workspace
    from vaults import Vault

PLAIN: Final = "TOKEN: first-value\ndb:\n  password: second-value\n  port: 5432\n"
OWN: Final = ".env.sops.yaml"
STAGING: Final = "deploy/environments/staging.sops.yaml"


def rules(vault: Vault, name: str, *recipients: str) -> None:
    pattern = f"^{name}$".replace(".", r"\.")
    text = f"creation_rules:\n  - path_regex: {pattern}\n    age: {','.join(recipients)}\n"
    vault.repository.write(".sops.yaml", text)


def lines(path: Path) -> dict[str, str]:
    """Return the encrypted line of each key at the top."""
    found = (line.partition(": ") for line in path.read_text(encoding="utf-8").splitlines())
    return {key: value for key, _, value in found if not key.startswith(" ")}


@pytest.mark.parametrize(
    "value",
    [
        "new-value",
        "",
        " ",
        "a\nb\n",
        'say "hi" \\ $HOME ${X}',
        "größe 🚢",
        "{}",
        "null",
        "1e3",
        "-x",
    ],
)
def test_a_value_is_set_exactly_and_others_stay_as_they_are(vault: Vault, value: str) -> None:
    path = vault.seal(OWN, PLAIN)
    before = lines(path)
    done = keeping.set_value(vault.workspace(), "db.password", Secret(value))
    assert done.did == "set"
    values = {name: one.reveal() for name, one in environment(vault.workspace()).items()}
    assert values == {"TOKEN": "first-value", "DB_PASSWORD": value, "DB_PORT": "5432"}
    # What was not meant is the same to the byte, so that a review shows one line.
    assert lines(path)["TOKEN"] == before["TOKEN"]
    assert (value or "\0") not in report.text(done) or len(value) < 2


def test_a_value_is_added_to_a_second_environment_with_its_own_key(vault: Vault) -> None:
    vault.seal(STAGING, "A: one-value\n", vault.other)
    ws = vault.workspace(SOPS_AGE_KEY_FILE=str(vault.other.path))
    done = keeping.set_value(ws, "NEW_KEY", Secret("two-value"), env="staging")
    assert report.text(done) == f"✓ {STAGING}   NEW_KEY added, encrypted to 1 recipient"
    assert environment(ws, "staging")["NEW_KEY"].reveal() == "two-value"
    mode = (vault.root / STAGING).stat().st_mode & 0o777
    assert mode == 0o644
    assert not [path for path in ws.state_dir.rglob("*") if path.suffix not in {"", ".lock"}]


def test_what_a_kill_left_is_cleared_away_by_the_next_change(vault: Vault) -> None:
    vault.seal(OWN, PLAIN)
    ws = vault.workspace()
    keeping.rotate(ws)
    (held,) = (ws.state_dir / "locks").glob("*.lock")
    left = held.with_suffix(".bench")
    (left / "deploy").mkdir(parents=True)
    (left / OWN).write_text("half of a file", encoding="utf-8")
    keeping.rotate(ws)
    assert not left.exists()
    assert environment(ws)["TOKEN"].reveal() == "first-value"


def test_a_new_file_is_made_for_whom_its_rule_says(vault: Vault) -> None:
    rules(vault, OWN, vault.development.public, vault.other.public)
    done = keeping.set_value(vault.workspace(), "db.password", Secret("two-value"))
    assert done.did == "created"
    assert set(done.recipients) == {vault.development.public, vault.other.public}
    assert environment(vault.workspace())["DB_PASSWORD"].reveal() == "two-value"


def test_without_a_file_and_a_rule_it_says_what_to_write(vault: Vault) -> None:
    with pytest.raises(MissingSecretsError, match=r"missing: \.env\.sops\.yaml") as error:
        keeping.set_value(vault.workspace(), "A", Secret("two-value"))
    assert error.value.exit_code == 1
    assert error.value.next_step == "invoke secrets.init\ninvoke secrets.set --key NAME"


def test_an_unknown_environment_is_2(vault: Vault) -> None:
    vault.seal(STAGING, "A: b\n", vault.other)
    with pytest.raises(UsageError, match='did you mean "staging"') as error:
        keeping.plan_set(vault.workspace(), "A", env="stagin")
    assert error.value.exit_code == 2


def test_nul_is_refused_and_names_the_key(vault: Vault) -> None:
    vault.seal(OWN, PLAIN)
    with pytest.raises(UsageError, match="value of TOKEN contains NUL") as error:
        keeping.set_value(vault.workspace(), "TOKEN", Secret("a\0b"))
    assert error.value.exit_code == 2


def test_a_file_that_was_tampered_with_gets_no_good_checksum(vault: Vault) -> None:
    path = vault.seal(OWN, PLAIN)
    path.write_text(path.read_text(encoding="utf-8").replace("TOKEN:", "OTHER:", 1))
    damaged = path.read_bytes()
    for change in (
        lambda ws: keeping.set_value(ws, "TOKEN", Secret("new-value")),
        keeping.rotate,
        keeping.edit,
    ):
        with pytest.raises(CheckFailedError) as error:
            change(vault.workspace(EDITOR="false"))
        assert error.value.exit_code == 1
    assert path.read_bytes() == damaged


def test_whoever_has_no_key_changes_nothing(vault: Vault) -> None:
    path = vault.seal(STAGING, "A: b\n", vault.other)
    before = path.read_bytes()
    with pytest.raises(CheckFailedError, match="missing: the key that decrypts") as error:
        keeping.set_value(vault.workspace(), "A", Secret("new-value"), env="staging")
    assert error.value.exit_code == 1
    assert path.read_bytes() == before


def test_a_second_writer_is_4(vault: Vault) -> None:
    vault.seal(OWN, PLAIN)
    ws = vault.workspace()
    keeping.rotate(ws)
    (held,) = (ws.state_dir / "locks").glob("*.lock")
    with lock(held, OWN), pytest.raises(LockedError, match="is in use") as error:
        keeping.set_value(ws, "TOKEN", Secret("new-value"))
    assert error.value.exit_code == 4


def test_a_change_of_somebody_else_meanwhile_is_not_written_over(vault: Vault) -> None:
    path = vault.seal(OWN, PLAIN)
    editor = vault.root / "deploy/editor.sh"
    editor.write_text(f'#!/bin/sh\necho "NEW: x" >>"$1"\necho "# theirs" >>"{path}"\n')
    editor.chmod(0o755)
    with pytest.raises(CheckFailedError, match="changed by somebody else") as error:
        keeping.edit(vault.workspace(EDITOR=str(editor)))
    assert error.value.exit_code == 1
    assert path.read_text(encoding="utf-8").endswith("# theirs\n")
    kept = vault.root / f"{OWN}.mine"
    assert "NEW: ENC[" in kept.read_text(encoding="utf-8")


def test_a_rotation_renews_the_data_key_and_keeps_the_values(vault: Vault) -> None:
    path = vault.seal(OWN, PLAIN, vault.development, vault.other)
    before, values = path.read_text(encoding="utf-8"), environment(vault.workspace())
    done = keeping.rotate(vault.workspace())
    after = path.read_text(encoding="utf-8")
    assert lines(path)["TOKEN"] not in before
    assert after.count("-----BEGIN AGE") == 2
    assert environment(vault.workspace()) == values
    assert set(done.recipients) == {vault.development.public, vault.other.public}
    shown = report.text(done)
    assert "new values for TOKEN, db.password, db.port" in shown
    assert "first-value" not in shown


def test_plans_change_nothing(vault: Vault) -> None:
    path = vault.seal(OWN, PLAIN)
    before, ws = path.read_bytes(), vault.workspace()
    assert keeping.plan_set(ws, "X").text() == f"change {OWN}: add X"
    assert keeping.plan_rotate(ws) == (
        f"change {OWN}: a new data key, 3 values encrypted again, to 1 recipient"
    )
    assert keeping.plan_edit(ws).startswith(f"change {OWN}: what the editor saves; the plaintext")
    assert path.read_bytes() == before
    assert not (vault.root / ".hullwright").exists()


@pytest.fixture
def editor(vault: Vault, tmp_path: Path) -> dict[str, str]:
    """An editor that notes where it works and what stands there, and adds a key."""
    notes = tmp_path / "notes"
    script = tmp_path / "editor.sh"
    script.write_text(
        f'#!/bin/sh\nstat -c "%n %a" "$1" >"{notes}"\ncat "$1" >>"{notes}"\n'
        'sed -i "s/first-value/third-value/" "$1"\n'
    )
    script.chmod(0o755)
    return {"EDITOR": str(script), "NOTES": str(notes)}


def test_an_edit_keeps_plaintext_in_memory_and_out_of_the_repository(
    vault: Vault, editor: dict[str, str]
) -> None:
    path = vault.seal(OWN, PLAIN)
    done = keeping.edit(vault.workspace(None, **editor))
    assert done.did == "edited"
    assert environment(vault.workspace())["TOKEN"].reveal() == "third-value"
    first, *text = Path(editor["NOTES"]).read_text(encoding="utf-8").splitlines()
    place, mode = first.split()
    assert "TOKEN: first-value" in text
    assert mode == "600"
    assert not Path(place).is_relative_to(vault.root)
    assert not Path(place).exists()
    if done.in_memory:
        assert memory.folder({}, Path("/proc/self/mounts")) in Path(place).parents
    assert "first-value" not in path.read_text(encoding="utf-8")


def test_an_edit_that_saves_nothing_leaves_the_file(vault: Vault) -> None:
    path = vault.seal(OWN, PLAIN)
    before = path.read_bytes()
    done = keeping.edit(vault.workspace(EDITOR="true"))
    assert report.text(done) == f"· {OWN}   unchanged: nothing was saved"
    assert path.read_bytes() == before


def test_nothing_stays_of_an_edit_that_ends_early(vault: Vault, tmp_path: Path) -> None:
    vault.seal(OWN, PLAIN)
    notes, script = tmp_path / "notes", tmp_path / "editor.sh"
    # The editor ends sops, so that it cannot take its plaintext away itself.
    script.write_text(f'#!/bin/sh\necho "$1" >"{notes}"\nkill -9 $PPID\n')
    script.chmod(0o755)
    with pytest.raises(CheckFailedError, match="sops edit ended with"):
        keeping.edit(vault.workspace(EDITOR=str(script)))
    place = Path(notes.read_text(encoding="utf-8").strip())
    assert place.name == OWN
    assert not place.parent.parent.exists()


def test_an_editor_that_fails_leaves_the_file(vault: Vault) -> None:
    path = vault.seal(OWN, PLAIN)
    before = path.read_bytes()
    with pytest.raises(CheckFailedError, match="the editor did not end well") as error:
        keeping.edit(vault.workspace(EDITOR="false"))
    assert error.value.exit_code == 1
    assert "$SOPS_EDITOR" in str(error.value)
    assert path.read_bytes() == before


def test_an_edit_makes_a_file_that_a_rule_covers(vault: Vault, tmp_path: Path) -> None:
    rules(vault, OWN, vault.development.public)
    script = tmp_path / "editor.sh"
    script.write_text('#!/bin/sh\necho "A: made-value" >"$1"\n')
    script.chmod(0o755)
    done = keeping.edit(vault.workspace(EDITOR=str(script)))
    assert done.did == "created"
    assert environment(vault.workspace())["A"].reveal() == "made-value"


def test_without_sops_it_is_3(vault: Vault, tmp_path: Path) -> None:
    vault.seal(OWN, PLAIN)
    folder = tmp_path / "programs"
    folder.mkdir()
    ws = vault.workspace(PATH=str(folder))
    for change in (keeping.rotate, keeping.edit):
        with pytest.raises(UnavailableError, match="sops is not on PATH") as error:
            change(ws)
        assert error.value.exit_code == 3


@pytest.mark.parametrize("kind", ["json", "dotenv", "ini"])
def test_other_kinds_of_files_are_kept_too(vault: Vault, kind: str) -> None:
    from hullwright.config.models import Secrets

    name = {"json": "s.json", "dotenv": "s.env", "ini": "s.ini"}[kind]
    rules(vault, name, vault.development.public)
    ws = vault.workspace(Secrets(file=name))
    assert keeping.set_value(ws, "A", Secret("one-value")).did == "created"
    assert keeping.set_value(ws, "B", Secret("two-value")).did == "added"
    assert keeping.set_value(ws, "A", Secret("new-value")).did == "set"
    assert keeping.rotate(ws).keys == ("A", "B")
    values = {key: value.reveal() for key, value in environment(ws).items()}
    assert values == {"A": "new-value", "B": "two-value"}


_KILLED: Final = """\
import os, sys
from pathlib import Path
from repositories import workspace
from hullwright.secret import Secret
from hullwright.secrets import keeping
ws = workspace(Path(sys.argv[1]), dict(os.environ))
print("ready", flush=True)
keeping.set_value(ws, "TOKEN", Secret("new-value"))
"""


def test_a_kill_leaves_the_old_or_the_new_file(vault: Vault) -> None:
    path = vault.seal(OWN, PLAIN)
    old = path.read_bytes()
    environ = {**vault.repository.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    seen = set()
    for moment in range(10):
        path.write_bytes(old)
        with subprocess.Popen(
            (sys.executable, "-c", _KILLED, str(vault.root)),
            env=environ,
            stdout=subprocess.PIPE,
            start_new_session=True,
        ) as process:
            assert process.stdout
            process.stdout.readline()
            # The moments of the kill are what is tried here; nothing is waited for.
            time.sleep(moment * 0.04)
            os.killpg(process.pid, signal.SIGKILL)
        seen.add(environment(vault.workspace())["TOKEN"].reveal())
        assert [name.name for name in vault.root.glob(".env*")] == [OWN]
    assert seen <= {"first-value", "new-value"}
    assert "first-value" in seen


class _Watcher(threading.Thread):
    """Looks at the command line and environment of every process again and again."""

    def __init__(self, values: tuple[str, ...]) -> None:
        super().__init__()
        self.values = [value.encode() for value in values]
        self.found: list[str] = []
        self.rounds = 0
        self.seen: set[bytes] = set()
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.is_set():
            self.rounds += 1
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    line = (process / "cmdline").read_bytes()
                except OSError:
                    continue
                if b"sops" in line:
                    self.seen.add(b" ".join(line.split(b"\0")[1:2]))
                self.found += [f"{process}: {line!r}" for value in self.values if value in line]


def test_no_value_is_ever_in_a_command_line(vault: Vault) -> None:
    vault.seal(OWN, PLAIN)
    value = f"secret-{os.urandom(8).hex()}"
    watcher = _Watcher((value, json.dumps(value)[1:-1], "first-value"))
    watcher.start()
    try:
        ws = _echoed(vault)
        for number in range(3):
            keeping.set_value(ws, f"KEY_{number}", Secret(f"{value}{number}"))
        keeping.rotate(ws)
    finally:
        watcher.over.set()
        watcher.join()
    assert not watcher.found
    # It looked while sops was at work.
    assert b"set" in watcher.seen or b"rotate" in watcher.seen
    assert value not in told(ws)


def _echoed(vault: Vault) -> Workspace:
    ws = vault.workspace()
    ws.runner.echo = ws.console.command
    return ws
