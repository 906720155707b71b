"""Checking what is kept: names, recipients, rules, checksums; every fault is a finding."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hullwright.errors import CheckFailedError, HullwrightError, UnavailableError, UsageError
from hullwright.findings import Finding, Severity, failed, ordered
from hullwright.secrets import creation, identities, keys, rules, sealed
from hullwright.secrets.flatten import public_names
from hullwright.secrets.read import read
from hullwright.secrets.source import DEVELOPMENT, known, named
from hullwright.tools import age, sops
from hullwright.tools.dotenv import variable_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.secret import Secret
    from hullwright.secrets.creation import Rule, Rules
    from hullwright.secrets.identities import Identity
    from hullwright.secrets.sealed import Sealed
    from hullwright.secrets.source import Source
    from hullwright.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for in one environment.

    Attributes:
        required: names that have to have a value, and what asks for each.
        known: names that somebody asks for or documents, required or not.
        open: whether a service takes every name that there is, so that none is one too many.
    """

    required: Mapping[str, str] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    open: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """One environment that was checked.

    Attributes:
        environment: its name.
        file: its encrypted file, relative to the root.
        exists: whether the file is there.
        values: how many values it has.
        recipients: how many recipients it has.
        opened_by: recipients whose keys are here, and open it.
    """

    environment: str
    file: str
    exists: bool = True
    values: int = 0
    recipients: int = 0
    opened_by: tuple[str, ...] = ()
    opened: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """What was checked, and what was found, the gravest first."""

    environments: tuple[Checked, ...]
    findings: tuple[Finding, ...]

    @property
    def held(self) -> bool:
        """Whether nothing is wrong; warnings do not count."""
        return not failed(self.findings)


def environments(ws: Workspace, env: str | None = None) -> list[str]:
    """Return what is checked: one environment, or all, with development first.

    Raises:
        UsageError: the environment is unknown.
    """
    if env is not None:
        return [named(ws, env).environment]
    return sorted(known(ws), key=lambda name: (name != DEVELOPMENT, name))


def check(ws: Workspace, wanted: Mapping[str, Wanted], *, env: str | None = None) -> Check:
    """Return what is wrong with what is kept for an environment, or for all of them.

    Args:
        ws: the repository.
        wanted: what each environment's compose files and examples ask for.
        env: one environment; then a file that cannot be opened here is an error, and otherwise a
            warning, since not everybody has every key.

    Raises:
        UsageError: the environment is unknown.
        UnavailableError: sops is missing or too old.
    """
    checker = _Checker(ws, strict=env is not None)
    done = [checker.one(name, wanted.get(name, Wanted())) for name in environments(ws, env)]
    return Check(tuple(done), ordered(dict.fromkeys(checker.findings)))


class _Checker:
    """Gathers findings; each method looks at one thing."""

    def __init__(self, ws: Workspace, *, strict: bool) -> None:
        self.ws = ws
        self.strict = strict
        self.findings: list[Finding] = []
        self.public = keys.development_recipients(ws)
        self.rules = self._rules()

    def one(self, name: str, wanted: Wanted) -> Checked:
        """Check one environment."""
        source = named(self.ws, name)
        if not source.path.is_file():
            return self._missing(source, wanted)
        try:
            seen = sealed.look(source)
        except CheckFailedError as error:
            self._failure("file.damaged", source, error)
            return Checked(name, source.name)
        self._rule_of(seen)
        self._development(seen)
        self._in_clear(seen)
        values, opened_by = self._opened(seen)
        self._names(seen, wanted, values)
        count = len(seen.recipients) + len(seen.others)
        return Checked(
            name,
            source.name,
            values=len(seen.leaves),
            recipients=count,
            opened_by=opened_by,
            opened=values is not None,
        )

    def _add(
        self, name: str, severity: Severity, subject: str, message: str, remedy: str = ""
    ) -> None:
        self.findings.append(Finding(name, severity, subject, message, remedy))

    def _failure(self, name: str, source: Source, error: HullwrightError) -> None:
        # A finding begins with its subject, so the message need not.
        told = _told(error).removeprefix(source.name).lstrip(": ")
        self._add(name, "error", source.name, told, error.next_step)

    def _rules(self) -> Rules | None:
        try:
            return creation.load(self.ws)
        except UsageError as error:
            self._add("rules.unreadable", "error", rules.FILE, _told(error), error.next_step)
            return None

    def _missing(self, source: Source, wanted: Wanted) -> Checked:
        asked = f"; asked for are {', '.join(wanted.required)}" if wanted.required else ""
        covered = self.rules and self.rules.covering(source.path)
        self._add(
            "file.missing",
            "error" if self.strict or wanted.required else "note",
            source.name,
            f"{source.environment} has no encrypted file{asked}",
            f"invoke {'secrets.edit' if covered else 'secrets.init'} --env {source.environment}",
        )
        return Checked(source.environment, source.name, exists=False)

    def _rule_of(self, seen: Sealed) -> None:
        source = seen.source
        rule = self.rules.covering(source.path) if self.rules else None
        if rule is None:
            # Where the rules could not be read at all, that has been told.
            if not any(finding.id == "rules.unreadable" for finding in self.findings):
                self._add(
                    "rules.uncovered",
                    "error",
                    source.name,
                    f"no rule of {rules.FILE} covers it, so nobody can be added or taken out",
                    f"invoke secrets.init --env {source.environment}",
                )
            return
        self._compared(seen, rule)

    def _compared(self, seen: Sealed, rule: Rule) -> None:
        missing = [key for key in rule.recipients if key not in seen.recipients]
        more = [key for key in seen.recipients if key not in rule.recipients]
        if missing or more:
            told = []
            if more:
                told.append(f"can be decrypted by {_short(more)}, whom its rule does not name")
            if missing:
                told.append(f"cannot be decrypted by {_short(missing)}, whom its rule names")
            self._add(
                "rules.differ",
                "error",
                seen.source.name,
                " and ".join(told),
                f"invoke secrets.recipients --add {(missing or rule.recipients)[0]} "
                f"--env {seen.source.environment}\n"
                f"(brings the file to its rule; or correct the rule {rule.name} first)",
            )

    def _development(self, seen: Sealed) -> None:
        source = seen.source
        rule = self.rules.covering(source.path) if self.rules else None
        named_too = rule.recipients if rule else ()
        shared = [
            key for key in dict.fromkeys((*seen.recipients, *named_too)) if key in self.public
        ]
        if not shared or source.environment == DEVELOPMENT:
            return
        where = "it" if set(shared) & set(seen.recipients) else "its rule"
        remove = " ".join(f"--remove {key}" for key in shared)
        self._add(
            "recipients.development",
            "error" if source.production else "warning",
            source.name,
            f"{where} is for the development key {_short(shared)}, which everybody with the "
            "repository has",
            f"invoke secrets.recipients --add RECIPIENT {remove} --env {source.environment}\n"
            "and give every secret in it a new value",
        )

    def _in_clear(self, seen: Sealed) -> None:
        for name in seen.clear:
            self._add(
                "values.clear",
                "error",
                seen.source.name,
                f"the value of {name} is not encrypted",
                "give it a new value where it has been committed, then: "
                f"{_set(name, seen.source.environment)}",
            )
        public = public_names(self.ws.config.secrets)
        for name in seen.left:
            if name not in public and variable_name(tuple(name.split("."))) not in public:
                self._add(
                    "values.left",
                    "warning",
                    seen.source.name,
                    f"the value of {name} stands in the clear, by the file's own rule",
                    "list it in [secrets] public, or rename it so that it is encrypted",
                )

    def _opened(self, seen: Sealed) -> tuple[Mapping[str, Secret] | None, tuple[str, ...]]:
        """Decrypt with all that is here, then with each key alone that should be enough."""
        source = seen.source
        here = [one for one in identities.here(self.ws, source) if one.recipient in seen.recipients]
        try:
            values = read(self.ws, source)
        except UnavailableError:
            raise
        except HullwrightError as error:
            self._unopened(source, error, here)
            return None, ()
        opening = []
        for identity in here:
            result = identities.decrypt_alone(self.ws, source, identity)
            if result.ok:
                opening.append(identity.recipient)
            else:
                self._add(
                    "recipients.closed",
                    "error",
                    source.name,
                    f"the key {age.short(identity.recipient)} ({identity.place}) is a recipient, "
                    "and does not open it",
                    f"sops updatekeys {source.name}",
                )
            if identity.loose:
                self._add(
                    "key.mode",
                    "warning",
                    identity.place,
                    "others on this machine can read the key",
                    f"chmod 600 {identity.place}",
                )
        return values, tuple(dict.fromkeys(opening))

    def _unopened(self, source: Source, error: HullwrightError, here: list[Identity]) -> None:
        told = {(finding.id, finding.subject) for finding in self.findings}
        if source.production and ("recipients.development", source.name) in told:
            # It is refused for that, and that has been told.
            return
        env = keys.for_sops(self.ws, source)
        result = sops.decrypt(self.ws.runner, source.path, env, sealed.kind_of(source))
        if result.ok:
            self._failure("names.unusable", source, error)
        elif result.returncode in sops.TAMPERED or here:
            self._failure("file.tampered", source, error)
        else:
            self._add(
                "key.missing",
                "error" if self.strict else "warning",
                source.name,
                "no key that is here opens it, so its checksum and empty values were not checked",
                error.next_step,
            )

    def _names(self, seen: Sealed, wanted: Wanted, values: Mapping[str, Secret] | None) -> None:
        source = seen.source
        flat = (variable_name(tuple(str(part) for part in leaf)) for leaf in seen.leaves)
        names = list(values) if values is not None else list(flat)
        for name, asker in wanted.required.items():
            if name not in names:
                self._add(
                    "names.missing",
                    "error",
                    source.name,
                    f"{name} is asked for by {asker}, and is not in it",
                    _set(name, source.environment),
                )
            elif values is not None and not values[name].reveal():
                self._add(
                    "names.empty",
                    "warning",
                    source.name,
                    f"{name} is asked for by {asker}, and is empty",
                    _set(name, source.environment),
                )
        for name in names:
            if not wanted.open and name not in wanted.required and name not in wanted.known:
                self._add(
                    "names.extra",
                    "warning",
                    source.name,
                    f"{name} is in it, and nothing asks for it",
                    f"take it out, invoke secrets.edit --env {source.environment}, "
                    "or tell of it in .env.example",
                )


def _set(name: str, environment: str) -> str:
    env = "" if environment == DEVELOPMENT else f" --env {environment}"
    return f"invoke secrets.set --key {name}{env}"


def _short(recipients: list[str]) -> str:
    return ", ".join(age.short(key) for key in recipients)


def _told(error: HullwrightError) -> str:
    return error.what
