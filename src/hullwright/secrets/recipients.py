"""Who can decrypt which file, and letting somebody in or taking somebody out."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hullwright.errors import CheckFailedError, UsageError, unknown
from hullwright.files import write_atomic
from hullwright.secret import Secret
from hullwright.secrets import creation, keys, rules, sealed
from hullwright.secrets.bench import bench
from hullwright.secrets.source import find, known, named
from hullwright.tools import age, sopswriting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hullwright.secrets.bench import Bench
    from hullwright.secrets.creation import Rule, Rules
    from hullwright.secrets.sealed import Sealed
    from hullwright.secrets.source import Source
    from hullwright.workspace import Workspace

_FLAGS: Final = {"age": "--age", "pgp": "--pgp", "kms": "--kms", "gcp_kms": "--gcp-kms"}


@dataclass(frozen=True, slots=True)
class Access:
    """Who can decrypt one file.

    Attributes:
        environment: whose secrets it holds.
        file: the file, relative to the root.
        recipients: keys that it is encrypted to.
        others: key services that it is encrypted to as well.
        development: which of the recipients everybody with the repository has.
        here: which of them have their secret part on this machine.
        added: recipients that it did not have before.
        removed: recipients that it had before.
    """

    environment: str
    file: str
    recipients: tuple[str, ...]
    others: tuple[str, ...] = ()
    development: tuple[str, ...] = ()
    here: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileChange:
    """What happens to one file: recipients before and after, and whether its data key is new."""

    source: Source
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def added(self) -> tuple[str, ...]:
        """Recipients that it gets."""
        return tuple(key for key in self.after if key not in self.before)

    @property
    def removed(self) -> tuple[str, ...]:
        """Recipients that it loses; its data key is renewed then, for they may have kept it."""
        return tuple(key for key in self.before if key not in self.after)


@dataclass(frozen=True, slots=True)
class RecipientsPlan:
    """What adding and removing recipients would change.

    Attributes:
        rules: the rules as they are.
        text: what they become; the same where nothing changes.
        names: the rules that change, as people find them in the file.
        files: the files that change.
    """

    rules: Rules
    new_rules: str
    names: tuple[str, ...]
    files: tuple[FileChange, ...]

    def text(self) -> str:
        """Return the plan in its stable form."""
        lines = [f"change {self.rules.name}: the rule {name}" for name in self.names]
        for change in self.files:
            lines.append(
                f"change {change.source.name}: encrypted to {len(change.after)} "
                f"recipient{'' if len(change.after) == 1 else 's'}, "
                f"{'a new data key' if change.removed else 'the same data key'}"
            )
            lines += [f"  + {key}" for key in change.added]
            lines += [f"  - {key}" for key in change.removed]
        return "\n".join(lines) or "nothing to change: it is so already"


def access(ws: Workspace, *, env: str | None = None) -> tuple[Access, ...]:
    """Return who can decrypt the file of an environment, or those of all environments.

    Raises:
        UsageError: the environment is unknown.
        CheckFailedError: a file is missing or cannot be read.
    """
    public = keys.development_recipients(ws)
    return tuple(_access(ws, sealed.look(source), public) for source in sources(ws, env))


def listing(ws: Workspace, *, env: str | None = None) -> tuple[Sealed, ...]:
    """Return what the file of an environment, or that of each, shows without a key.

    Raises:
        UsageError: the environment is unknown.
        CheckFailedError: a file is missing or cannot be read.
    """
    return tuple(sealed.look(source) for source in sources(ws, env))


def sources(ws: Workspace, env: str | None) -> list[Source]:
    """Return the file of an environment, else the files that there are, each once."""
    if env is not None:
        return [find(ws, env)]
    every = [named(ws, one) for one in sorted(known(ws))]
    return [*{source.path: source for source in every if source.path.is_file()}.values()]


def plan_recipients(
    ws: Workspace, *, add: Sequence[str] = (), remove: Sequence[str] = (), env: str | None = None
) -> RecipientsPlan:
    """Return what would change, in the rules and in each file.

    Args:
        ws: the repository.
        add: public keys to encrypt to as well: age, SSH, PGP fingerprints, names of KMS keys.
        remove: recipients to encrypt to no longer.
        env: one environment; default all that have a file.

    Raises:
        UsageError: a recipient is none, is unknown, is the last one or is not for production; no
            rule covers a file, or the rule covers files of other environments too.
    """
    add = [_whole(key) for key in add]
    remove = [_whole(key) for key in remove]
    meant = sources(ws, env)
    _require_some(meant, env)
    for key in add:
        _require_recipient(ws, key)
    both = sorted(set(add) & set(remove))
    if both:
        raise UsageError(f"{age.short(both[0])} is to be added and removed")
    found = creation.load(ws)
    if found is None:
        raise _no_rule(ws, meant[0])
    looks = [sealed.look(source) for source in meant]
    chosen = {source.path: _rule(ws, found, source) for source in meant}
    if env is not None:
        _require_own_rule(ws, found, meant[0], chosen[meant[0].path])
    _require_known(remove, looks, chosen.values())
    files = [_change(seen, chosen[seen.source.path], add, remove) for seen in looks]
    public = keys.development_recipients(ws)
    for change in files:
        _require_legal(change, chosen[change.source.path], public)
    after, changed = found, []
    for rule in sorted(set(chosen.values()), key=lambda one: one.number):
        edited = after.with_recipients(rule, add, remove)
        if edited != after.text:
            changed.append(rule.name)
            after = after.now(edited)
    moving = tuple(change for change in files if change.added or change.removed)
    return RecipientsPlan(found, after.text, tuple(changed), moving)


def change_recipients(
    ws: Workspace, *, add: Sequence[str] = (), remove: Sequence[str] = (), env: str | None = None
) -> tuple[Access, ...]:
    """Encrypt files to other recipients and say so in the rules; all of it or nothing.

    Whoever is removed may have kept the data key, so a file that loses somebody gets a new one.

    Raises:
        UsageError: as `plan_recipients`.
        CheckFailedError: a file is not decryptable here, was tampered with, or was changed by
            somebody else meanwhile.
        UnavailableError: sops is missing or too old.
        LockedError: another run is changing one of the files.
    """
    plan = plan_recipients(ws, add=add, remove=remove, env=env)
    with ExitStack() as stack:
        by_rules = stack.enter_context(ws.writing(plan.rules.path, plan.rules.name))
        bys = [
            stack.enter_context(ws.writing(change.source.path, change.source.name))
            for change in plan.files
        ]
        # Until the locks were held, others could write.
        if plan_recipients(ws, add=add, remove=remove, env=env) != plan:
            raise _changed_meanwhile(plan.rules.name, *(each.source.name for each in plan.files))
        on = stack.enter_context(bench(ws, plan.rules, by_rules, plan.new_rules))
        before = [_done_on_bench(ws, change, on) for change in plan.files]
        _require_unchanged(plan, before)
        # The rules first: were this the last thing that happens, `check` would tell what is left.
        if plan.new_rules != plan.rules.text:
            mode = plan.rules.path.stat().st_mode & 0o777
            write_atomic(plan.rules.path, plan.new_rules, mode=mode, by=by_rules)
        for change, old, by in zip(plan.files, before, bys, strict=True):
            on.put_back(change.source, old, by)
    changes = {change.source.path: change for change in plan.files}
    public = keys.development_recipients(ws)
    return tuple(
        _access(ws, sealed.look(source), public, changes.get(source.path))
        for source in sources(ws, env)
    )


def _require_unchanged(plan: RecipientsPlan, before: Iterable[bytes]) -> None:
    """Refuse what an editor wrote meanwhile, which asks for no lock, before anything is written."""
    changed = [
        each.source.name
        for each, old in zip(plan.files, before, strict=True)
        if each.source.path.read_bytes() != old
    ]
    if plan.rules.path.read_text(encoding="utf-8") != plan.rules.text:
        changed.append(plan.rules.name)
    if changed:
        raise _changed_meanwhile(*changed)


def _changed_meanwhile(*names: str) -> CheckFailedError:
    return CheckFailedError(
        "files were changed by somebody else in the meantime; nothing was changed here",
        why=[("among", ", ".join(names))],
        next_step="run it again: it takes them as they are now",
    )


def _done_on_bench(ws: Workspace, change: FileChange, on: Bench) -> bytes:
    # Production's file for the development key is refused wherever it is read, and here it is put
    # right: what comes out of it was held to that rule in the plan.
    source = replace(change.source, production=False)
    values = sealed.content(ws, source)
    old = on.copy(source)
    copy, kind, env = on.path(source), sealed.kind_of(source), keys.for_sops(ws, source)
    if on.rules is None:
        raise _no_rule(ws, source)
    # The new data key comes first: who takes out the own key could not make one afterwards.
    done = sopswriting.rotate(ws.runner, copy, kind=kind, env=env) if change.removed else None
    if done is None or done.ok:
        done = sopswriting.update_keys(ws.runner, copy, config=on.rules, kind=kind, env=env)
    seen = sealed.look(replace(source, path=copy)) if done.ok else None
    if seen is None or set(seen.recipients) != set(change.after):
        said = ws.runner.redacted(done.stderr).strip().splitlines()
        raise CheckFailedError(
            f"{source.name} could not be encrypted to others; nothing was changed",
            why=[("sops", "\n".join(said[-3:]) or f"ended with {done.returncode}")],
            next_step="invoke secrets.check",
        )
    # Whoever takes out the own key cannot look any more.
    if set(seen.recipients) & set(_here(ws, source)) and sealed.content(ws, seen.source) != values:
        raise CheckFailedError(f"{source.name}: sops changed its values; nothing was changed")
    return old


def _access(
    ws: Workspace, seen: Sealed, public: set[str], change: FileChange | None = None
) -> Access:
    here = set(_here(ws, seen.source))
    return Access(
        seen.source.environment,
        seen.source.name,
        seen.recipients,
        seen.others,
        tuple(key for key in seen.recipients if key in public),
        tuple(key for key in seen.recipients if key in here),
        change.added if change else (),
        change.removed if change else (),
    )


def _here(ws: Workspace, source: Source) -> list[str]:
    return [key for place in keys.looked_for(ws, source) for key in place.recipients]


def _whole(key: str) -> str:
    key = key.strip()
    if creation.kind_of(key) == "pgp":
        return key.replace(" ", "").upper()
    # The third word of an SSH key is a comment.
    return " ".join(key.split()[:2]) if key.startswith("ssh-") else key


def _change(seen: Sealed, rule: Rule, add: Iterable[str], remove: Iterable[str]) -> FileChange:
    after = [key for key in rule.recipients if key not in set(remove)]
    after += [key for key in dict.fromkeys(add) if key not in after]
    return FileChange(seen.source, seen.recipients, tuple(after))


def _require_some(meant: list[Source], env: str | None) -> None:
    if not meant:
        raise UsageError(
            "no environment has an encrypted file yet",
            next_step=f"invoke secrets.init{f' --env {env}' if env else ''}",
        )


def _require_recipient(ws: Workspace, key: str) -> None:
    if age.has_secret_key(key) or "SECRET KEY" in key.upper().replace("-", " "):
        ws.runner.secrets.add(Secret(key))
        raise UsageError(
            "that is a secret key: only the public part of a key is a recipient",
            why="it stood on a command line, so it is in a shell's history and no longer secret",
            next_step="make a new key, and give the public part of that one: age-keygen -y FILE",
        )
    kind = creation.kind_of(key)
    fault = sopswriting.recipient_fault(ws.runner, key, _FLAGS[kind])
    if fault:
        raise UsageError(
            f'"{key}" is not valid as a recipient',
            why=[("sops", fault)],
            next_step="a recipient is a public key: age1…, ssh-ed25519 …, a PGP fingerprint",
        )


def _rule(ws: Workspace, found: Rules, source: Source) -> Rule:
    rule = found.covering(source.path)
    if rule is None:
        raise _no_rule(ws, source)
    return rule


def _no_rule(ws: Workspace, source: Source) -> UsageError:
    lines = rules.by_hand(ws, source.name)
    return UsageError(
        f"no rule of {rules.FILE} covers {source.name}",
        why="the recipients of a file are those of its rule, or the next change loses some",
        next_step="\n".join([f"invoke secrets.init --env {source.environment}   or", *lines]),
    )


def _require_own_rule(ws: Workspace, found: Rules, source: Source, rule: Rule) -> None:
    also = [
        other.environment
        for other in sources(ws, None)
        if other.path != source.path and found.covering(other.path) == rule
    ]
    if also:
        raise UsageError(
            f"the rule {rule.name} of {found.name} covers {', '.join(also)} too",
            why=f"who is added for {source.environment} could read those after their next change",
            next_step="leave --env out to change all of them, or write before that rule one with\n"
            f"path_regex: {creation.pattern_for(found.path.parent, source.path)}",
        )


def _require_known(remove: Iterable[str], looks: list[Sealed], chosen: Iterable[Rule]) -> None:
    here = {key for seen in looks for key in seen.recipients}
    here |= {key for rule in chosen for key in rule.recipients}
    for key in remove:
        if key not in here:
            raise unknown("recipient", key, here)


def _require_legal(change: FileChange, rule: Rule, public: set[str]) -> None:
    source = change.source
    if not change.after and not rule.others:
        raise UsageError(
            f"the last recipient of {source.name} cannot be removed: nobody could decrypt it",
            next_step="add another one in the same command: "
            "invoke secrets.recipients --add NEW --remove OLD",
        )
    shared = [key for key in change.after if key in public]
    if source.production and shared:
        raise UsageError(
            f"{source.environment} refuses the development key as a recipient of {source.name}",
            why=[("development", ", ".join(age.short(key) for key in shared))],
            next_step="make a key for it: age-keygen   (and keep it out of the repository)",
        )
