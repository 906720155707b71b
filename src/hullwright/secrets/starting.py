"""Starting from nothing: an age key where sops looks for one, and a rule for whom to encrypt."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from errno import ENOTDIR
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.errors import CheckFailedError, HullwrightError, UnavailableError
from hullwright.files import write_atomic
from hullwright.secret import Secret
from hullwright.secrets import creation, identities, keys
from hullwright.secrets.rules import FILE
from hullwright.secrets.source import DEVELOPMENT, named
from hullwright.tools import age

if TYPE_CHECKING:
    from hullwright.secrets.creation import Rules
    from hullwright.secrets.source import Source
    from hullwright.workspace import Workspace

_HEAD: Final = """\
# Who can decrypt which file: sops takes the first rule that matches. A new recipient comes in with
# `invoke secrets.recipients --add age1…`, which changes the files too.
creation_rules:
"""
_PROGRAM: Final = "age-keygen"


@dataclass(frozen=True, slots=True)
class InitPlan:
    """What starting would make.

    Attributes:
        source: the file that is to be encrypted.
        key: where a new age key goes, or None where this machine has one.
        key_name: where the key is, or is to be.
        own: public keys of this person; none before there is a key.
        recipients: whom the rule is for; none stands for the key that is made.
        rules: the rules as they are, or None.
        rules_path: where they are, or are to be.
        needs_rule: whether none covers the file.
    """

    source: Source
    key: Path | None
    key_name: str
    own: tuple[str, ...]
    recipients: tuple[str, ...]
    rules: Rules | None
    rules_path: Path
    needs_rule: bool

    def text(self) -> str:
        """Return the plan in its stable form."""
        lines = []
        if self.key:
            lines.append(f"create {self.key_name} (mode 0600): a new age key")
        if self.needs_rule:
            verb = "change" if self.rules else "create"
            to = ", ".join(self.recipients) or "that key"
            lines.append(f"{verb} {self.rules_path.name}: a rule for {self.source.name}, to {to}")
        return "\n".join(lines) or "nothing to do: there is a key, and a rule"


@dataclass(frozen=True, slots=True)
class Started:
    """What was made, and what was there.

    Attributes:
        environment: whose secrets it is about.
        file: the file that is to be encrypted, relative to the root.
        key: where the age key is.
        key_made: whether it is new.
        own: its public keys.
        rules: the file of the rules.
        rule: `created` with the file, `added` to it, or `kept`.
        recipients: whom the file is for.
        exists: whether there is an encrypted file already.
        loose: whether others on this machine can read the key.
        outside: whether this person's key is not among the recipients, and none is public.
    """

    environment: str
    file: str
    key: str
    key_made: bool
    own: tuple[str, ...]
    rules: str
    rule: str
    recipients: tuple[str, ...]
    exists: bool
    outside: bool = False
    loose: bool = False


def plan_init(ws: Workspace, *, env: str | None = None) -> InitPlan:
    """Return what starting would make; what is there is never replaced.

    Raises:
        UsageError: the environment is unknown, or the rules cannot be read.
        CheckFailedError: a file stands where the key should be, and holds none.
    """
    source = named(ws, env or DEVELOPMENT)
    key, key_name, own = _own_key(ws)
    rules = creation.load(ws)
    public = keys.development_recipients(ws)
    shared = tuple(sorted(public)) if source.environment == DEVELOPMENT else ()
    # What everybody has protects nothing, so another environment is for the person's own key.
    recipients = shared or tuple(one for one in own if one not in public)
    rule = rules.covering(source.path) if rules else None
    path = rules.path if rules else ws.root / (ws.environ.get("SOPS_CONFIG") or FILE)
    return InitPlan(source, key, key_name, own, recipients, rules, path, rule is None)


def init(ws: Workspace, *, env: str | None = None) -> Started:
    """Make what is missing of a key and a rule; run again it changes nothing.

    Raises:
        UsageError: as `plan_init`.
        CheckFailedError: as `plan_init`.
        UnavailableError: age is missing.
        LockedError: another run is writing the rules.
    """
    plan = plan_init(ws, env=env)
    own = _made_key(ws, plan.key, plan.key_name) if plan.key else plan.own
    with ws.writing(plan.rules_path, plan.rules_path.name) as by:
        rules = creation.load(ws)
        rule = rules.covering(plan.source.path) if rules else None
        recipients = rule.recipients if rule else plan.recipients or own
        if not rule:
            pattern = creation.pattern_for(plan.rules_path.parent, plan.source.path)
            new = _HEAD + "".join(
                f"  {line}\n" for line in creation.rule_lines(pattern, recipients)
            )
            text = rules.with_rule(pattern, recipients) if rules else new
            mode = plan.rules_path.stat().st_mode & 0o777 if rules else 0o644
            write_atomic(plan.rules_path, text, mode=mode, by=by)
    return Started(
        plan.source.environment,
        plan.source.name,
        plan.key_name,
        plan.key is not None,
        own,
        rules.name if rules else plan.rules_path.name,
        "kept" if rule else ("added" if rules else "created"),
        recipients,
        plan.source.path.is_file(),
        not set(recipients) & {*own, *keys.development_recipients(ws)},
        any(one.loose for one in identities.here(ws, plan.source)),
    )


def _own_key(ws: Workspace) -> tuple[Path | None, str, tuple[str, ...]]:
    """Return where a key is to be made (None where there is one), its place and its public keys."""
    if age.has_secret_key(ws.environ.get("SOPS_AGE_KEY", "")):
        text = ws.environ["SOPS_AGE_KEY"]
        return None, "$SOPS_AGE_KEY", age.public_keys(ws.runner, text)
    home = Path(ws.environ.get("HOME", "/"))
    usual = Path(ws.environ.get("XDG_CONFIG_HOME") or home / ".config") / "sops/age/keys.txt"
    given = ws.environ.get("SOPS_AGE_KEY_FILE")
    path = ws.root / given if given else usual
    name = f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
    # A link that leads nowhere is somebody's too.
    if not os.path.lexists(path):
        return path, name, ()
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise CheckFailedError(
            f"{name} cannot be read, and is left as it is",
            why=error.strerror or str(error),
            next_step=f"ls -l {path}   (sops reads its keys from there)",
        ) from error
    if not age.has_secret_key(text):
        raise CheckFailedError(
            f"{name} holds no age key, and is left as it is",
            why="sops looks for keys there, so a new one would have to take its place",
            next_step=f"move it away, and run this again: mv {path} {path}.old",
        )
    return None, name, age.public_keys(ws.runner, text)


def _made_key(ws: Workspace, path: Path, name: str) -> tuple[str, ...]:
    """Make an age key, readable by its owner only from its first byte, where none is yet."""
    if ws.runner.find(_PROGRAM) is None:
        raise UnavailableError(
            f"{_PROGRAM} is not on PATH: it makes age keys",
            next_step="invoke setup --install   (Debian: apt-get install age)",
        )
    text = ws.runner.run(_PROGRAM).stdout
    ws.runner.secrets.update(Secret(line) for line in text.splitlines() if age.has_secret_key(line))
    _write_new(path, text, name)
    return age.public_keys(ws.runner, text)


def _write_new(path: Path, text: str, name: str) -> None:
    """Write a file of mode 0600, whole, where no file is; never over one that came meanwhile."""
    temporary = None
    try:
        _make_folder(path.parent)
        descriptor, temporary = tempfile.mkstemp(prefix=".keys.", dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        # A link to a name that is taken fails, where a rename would replace what is there.
        path.hardlink_to(temporary)
    except FileExistsError:
        raise CheckFailedError(
            f"{name} came into being meanwhile, and is left as it is",
            next_step="run this again: it takes the key that is there",
        ) from None
    except OSError as error:
        raise HullwrightError(
            f"{name} could not be written",
            why=error.strerror or str(error),
            next_step="free space or permissions on that folder, then run it again",
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        # To the caller an existing file is a key that came meanwhile.
        raise NotADirectoryError(ENOTDIR, f"{path} is a file, and no folder") from None
