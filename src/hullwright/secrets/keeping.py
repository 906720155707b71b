"""Changing one encrypted file: set a value, edit it, encrypt it again under a new data key."""

from __future__ import annotations

import json
import signal
import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING

from hullwright.errors import CheckFailedError, UsageError
from hullwright.secret import Secret
from hullwright.secrets import creation, keys, sealed
from hullwright.secrets.bench import Bench, bench
from hullwright.secrets.flatten import leaves
from hullwright.secrets.read import as_tree, metadata
from hullwright.secrets.source import DEVELOPMENT, find, named
from hullwright.tools import dotenv, memory, sopsfile, sopswriting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullwright.run import Result
    from hullwright.secrets.sealed import Path as Place
    from hullwright.secrets.source import Source
    from hullwright.workspace import Workspace


@dataclass(frozen=True, slots=True)
class SetPlan:
    """What a set would do.

    Attributes:
        source: the file.
        place: where the value goes in its tree.
        known: whether the file has such a value.
        exists: whether the file is there.
    """

    source: Source
    place: Place
    known: bool
    exists: bool

    @property
    def key(self) -> str:
        """The name of the value as it stands in the file."""
        return sealed.dotted(self.place)

    def text(self) -> str:
        """Return the plan in its stable form."""
        if not self.exists:
            return f"create {self.source.name}: encrypted, with {self.key}"
        verb = "replace the value of" if self.known else "add"
        return f"change {self.source.name}: {verb} {self.key}"


@dataclass(frozen=True, slots=True)
class Kept:
    """An encrypted file after a change.

    Attributes:
        environment: whose secrets they are.
        file: the file, relative to the root.
        did: what was done: `set`, `added`, `created`, `edited`, `rotated`, or `unchanged`.
        keys: the names that it is about.
        recipients: whom it is encrypted to.
        production: whether the environment is one of production.
        in_memory: whether plaintext stood in memory only while it was changed.
    """

    environment: str
    file: str
    did: str
    keys: tuple[str, ...]
    recipients: tuple[str, ...] = ()
    production: bool = False
    in_memory: bool = True


def plan_set(ws: Workspace, key: str, *, env: str | None = None) -> SetPlan:
    """Return where a value would go; nothing is decrypted.

    Args:
        ws: the repository.
        key: its name: as it stands in the file (`db.password`), or the variable (`DB_PASSWORD`).
        env: the environment; default `development`.

    Raises:
        UsageError: the environment is unknown, or the name cannot be one.
        MissingSecretsError: there is no file, and no rule says for whom to make one.
    """
    source = _source(ws, env)
    exists = source.path.is_file()
    there = sealed.look(source).leaves if exists else ()
    place, known = _place(key, there, source)
    return SetPlan(source, place, known, exists)


def set_value(ws: Workspace, key: str, value: Secret, *, env: str | None = None) -> Kept:
    """Set one value of an environment's file, whole or not at all; all others stay as they are.

    Raises:
        UsageError: as `plan_set`; the value holds NUL.
        CheckFailedError: the file is not decryptable or was tampered with.
        UnavailableError: sops is missing or too old.
        LockedError: another run is changing the file.
    """
    if "\0" in value.reveal():
        raise UsageError(f"the value of {key} contains NUL, which no variable can hold")
    ws.runner.secrets.add(value)
    plan = plan_set(ws, key, env=env)
    source, rules = plan.source, creation.load(ws)
    with ws.writing(source.path, source.name) as by, bench(ws, rules, by) as on:
        if not plan.exists:
            return _created(ws, plan, value, on, by)
        # The whole file is read first: one that was tampered with must not get a good checksum.
        before, _ = as_tree(ws, source)
        old = on.copy(source)
        env_ = keys.for_sops(ws, source)
        kind = sealed.kind_of(source)
        done = sopswriting.set_value(
            ws.runner, on.path(source), _index(plan.place, kind), value, kind=kind, env=env_
        )
        _require_done(ws, done, source, "set")
        after, _ = as_tree(ws, _copied(source, on))
        place = tuple(str(part) for part in plan.place)
        if {**dict(leaves(before)), place: value.reveal()} != dict(leaves(after)):
            raise _not_as_meant(source, done)
        on.put_back(source, old, by)
    did = "set" if plan.known else "added"
    return _kept(source, did, (plan.key,))


def edit(ws: Workspace, *, env: str | None = None) -> Kept:
    """Open an environment's file in the person's editor, decrypted, and keep what was made of it.

    The plaintext stands in a folder in memory where the machine has one, never in the repository.

    Raises:
        UsageError: the environment is unknown.
        CheckFailedError: the editor failed, or what it left cannot be encrypted.
        UnavailableError: sops is missing.
        LockedError: another run is changing the file.
    """
    source, rules = _source(ws, env), creation.load(ws)
    if source.production and source.path.is_file():
        keys.refuse_development_key(ws, source, metadata(source))
    with (
        ws.writing(source.path, source.name) as by,
        bench(ws, rules, by) as on,
        _hang_up_interrupts(),
        TemporaryDirectory(prefix="hullwright-edit-", dir=_plain_folder(ws)) as plain,
    ):
        old = on.copy(source)
        if old:
            # Why it cannot be opened is explained by us, before sops says it at length.
            sealed.content(ws, source)
        code = sopswriting.edit(
            ws.runner,
            on.path(source),
            config=on.rules,
            kind=sealed.kind_of(source),
            # What sops leaves there when it is interrupted goes with the folder.
            env={**keys.for_sops(ws, source), "TMPDIR": plain},
        )
        if code not in {0, sopswriting.NOT_MODIFIED}:
            raise _not_edited(source, code)
        changed = on.path(source).is_file() and on.put_back(source, old, by)
    did = ("edited" if old else "created") if changed else "unchanged"
    return _kept(source, did, (), in_memory=memory.folder(ws.environ) is not None)


@contextmanager
def _hang_up_interrupts() -> Iterator[None]:
    """Let a closed terminal and a termination be an interrupt, so that the plaintext is removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGHUP, signal.SIGTERM)
    before = [(number, signal.signal(number, interrupt)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def plan_edit(ws: Workspace, *, env: str | None = None) -> str:
    """Return what an edit would do, in its stable form."""
    source = _source(ws, env)
    folder, kind = _plain_folder(ws), "in memory" if memory.folder(ws.environ) else "on a disk"
    place = f"a folder of its own in {folder}, {kind}"
    verb = "change" if source.path.is_file() else "create"
    return f"{verb} {source.name}: what the editor saves; the plaintext stands in {place}"


def plan_rotate(ws: Workspace, *, env: str | None = None) -> str:
    """Return what a rotation would do, in its stable form."""
    seen = sealed.look(find(ws, env))
    count = _count(len(seen.leaves), "value")
    to = _count(len(seen.recipients) + len(seen.others), "recipient")
    return f"change {seen.source.name}: a new data key, {count} encrypted again, to {to}"


def rotate(ws: Workspace, *, env: str | None = None) -> Kept:
    """Encrypt an environment's file again under a new data key; values and recipients stay.

    Raises:
        UsageError: the environment is unknown.
        CheckFailedError: the file is missing, not decryptable or was tampered with.
        UnavailableError: sops is missing or too old.
        LockedError: another run is changing the file.
    """
    source, rules = find(ws, env), creation.load(ws)
    with ws.writing(source.path, source.name) as by, bench(ws, rules, by) as on:
        before = sealed.content(ws, source)
        old = on.copy(source)
        env_ = keys.for_sops(ws, source)
        kind = sealed.kind_of(source)
        done = sopswriting.rotate(ws.runner, on.path(source), kind=kind, env=env_)
        _require_done(ws, done, source, "rotate")
        if sealed.content(ws, _copied(source, on)) != before:
            raise _not_as_meant(source, done)
        on.put_back(source, old, by)
    return _kept(source, "rotated", sealed.look(source).names)


def _plain_folder(ws: Workspace) -> Path:
    """Return where plaintext may stand for a moment: in memory if there is such a place."""
    return memory.folder(ws.environ) or Path(ws.environ.get("TMPDIR") or gettempdir())


def _source(ws: Workspace, env: str | None) -> Source:
    """Return the file of an environment, which may be new where a rule says for whom it is."""
    source = named(ws, env or DEVELOPMENT)
    rules = creation.load(ws)
    if source.path.is_file() or (rules and rules.covering(source.path)):
        return source
    return find(ws, env)


def _place(key: str, there: tuple[Place, ...], source: Source) -> tuple[Place, bool]:
    """Return where a value of a name goes, and whether there is one."""
    kind = sealed.kind_of(source)
    if kind == "binary":
        raise UsageError(
            f"{source.name} is one value without keys", next_step="invoke secrets.edit"
        )
    texts = {leaf: tuple(str(part) for part in leaf) for leaf in there}
    for told in (
        {sealed.dotted(leaf): leaf for leaf in there},
        {dotenv.variable_name(text): leaf for leaf, text in texts.items()},
    ):
        if key in told:
            return told[key], True
    new = tuple(key.split("."))
    flat = kind == "dotenv"
    name = dotenv.variable_name(new)
    # SOPS keeps its own part under this name.
    taken = new[0] == "sops"
    bad = not all(new) or "\n" in key or not dotenv.NAME.fullmatch(name)
    if bad or taken or (flat and len(new) > 1):
        raise UsageError(
            f'"{key}" cannot be a key of {source.name}',
            next_step="a name that sops does not use itself"
            if taken
            else "letters, digits and _"
            + ("" if flat else ", with dots for a value inside of a map: db.password"),
        )
    for leaf, text in texts.items():
        shorter, longer = sorted((text, new), key=len)
        if longer[: len(shorter)] == shorter:
            raise UsageError(
                f'"{key}" cannot be a key of {source.name}: it has {sealed.dotted(leaf)}',
                why="a key is a value or a map of values, and not both",
                next_step="give it another name, or change the file's layout: invoke secrets.edit",
            )
        if dotenv.variable_name(text) == name:
            raise UsageError(f"{sealed.dotted(leaf)} and {key} would both become {name}")
    return new, False


def _index(place: Place, kind: str) -> Place:
    """Return a place as sops counts it: what stands before every section of INI has one too."""
    return (sopsfile.INI_TOP, *place) if kind == "ini" and len(place) == 1 else place


def _created(ws: Workspace, plan: SetPlan, value: Secret, on: Bench, by: Path) -> Kept:
    """Make a new encrypted file with one value, for whom its rule says."""
    source = plan.source
    if on.rules is None:
        find(ws, source.environment)
    tree: object = value.reveal()
    for part in reversed(_index(plan.place, sealed.kind_of(source))):
        tree = {part: tree}
    done = sopswriting.encrypt(
        ws.runner,
        Secret(json.dumps(tree)),
        name=on.name(source),
        config=on.rules or on.folder,
        kind=sealed.kind_of(source),
        cwd=on.folder,
        env={},
    )
    _require_done(ws, done, source, "encrypt")
    copy = on.path(source)
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(done.stdout, encoding="utf-8")
    made = _copied(source, on)
    if source.production:
        keys.refuse_development_key(ws, replace(source, path=copy), metadata(made))
    on.put_back(source, b"", by)
    return _kept(source, "created", (plan.key,))


def _copied(source: Source, on: Bench) -> Source:
    return replace(source, path=on.path(source))


def _kept(source: Source, did: str, names: tuple[str, ...], *, in_memory: bool = True) -> Kept:
    to: tuple[str, ...] = ()
    if source.path.is_file():
        seen = sealed.look(source)
        to = (*seen.recipients, *seen.others)
    return Kept(source.environment, source.name, did, names, to, source.production, in_memory)


def _require_done(ws: Workspace, done: Result, source: Source, verb: str) -> None:
    if done.ok:
        return
    said = ws.runner.redacted(done.stderr).strip().splitlines()
    raise CheckFailedError(
        f"sops {verb} failed for {source.name}; it is unchanged",
        why=[("sops", "\n".join(said[-3:]) or f"ended with {done.returncode}")],
        next_step="invoke secrets.check",
    )


def _not_as_meant(source: Source, done: Result) -> CheckFailedError:
    return CheckFailedError(
        f"{source.name} is unchanged: what sops made of it holds other values than it should",
        why=[("command", " ".join(done.argv[:2]))],
        next_step="sops --version, and invoke secrets.check",
    )


def _not_edited(source: Source, code: int) -> CheckFailedError:
    if code == sopswriting.EDITOR_FAILED:
        return CheckFailedError(
            f"{source.name} is unchanged: the editor did not end well",
            why="sops starts what $SOPS_EDITOR or $EDITOR says, else vim, nano or vi",
            next_step="EDITOR=nano invoke secrets.edit   (or one that waits: code --wait)",
        )
    return CheckFailedError(
        f"{source.name} is unchanged: sops edit ended with {code}",
        why="what it says stands above",
    )


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
