"""Decrypting to a file, whole or not at all, and never where Git would take it up."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.errors import UsageError, unknown
from hullwright.files import write_atomic
from hullwright.secrets.flatten import flatten, leaves
from hullwright.secrets.read import as_tree, as_yaml, exact
from hullwright.secrets.source import DEVELOPMENT, Source, find
from hullwright.tools import dotenv
from hullwright.tools.git import require_ignored

if TYPE_CHECKING:
    from hullwright.workspace import Workspace

MODE: Final = 0o600
STANDARD_OUTPUT: Final = "-"
DOTENV: Final = "dotenv"
FORMS: Final = (DOTENV, "json", "yaml")
_DEVICES: Final = Path("/dev")
_PROCESSES: Final = Path("/proc")
# A binary file has no values to be put into another form.
AS_IT_IS: Final = "as it is"


@dataclass(frozen=True, slots=True)
class DecryptPlan:
    """What a decrypt would do: decrypt one file to another, or to standard output.

    Attributes:
        source: the encrypted file.
        target: the file that is written, absolute; None for standard output.
        output: the same, relative to the root where it is inside.
        form: `dotenv`, `json`, `yaml`, or `as it is` for a binary file.
    """

    source: Source
    target: Path | None
    output: str
    form: str

    def text(self) -> str:
        """Return the plan in its stable form."""
        form = "" if self.form == DOTENV else f", as {self.form.removeprefix('as ')}"
        told = f"decrypted from {self.source.name}{form}"
        if self.target is None:
            return f"print to standard output: {told}"
        verb = "replace" if self.target.exists() else "create"
        return f"{verb} {self.output} (mode 0600): {told}"


@dataclass(frozen=True, slots=True)
class Decrypted:
    """What was decrypted and written.

    Attributes:
        environment: whose secrets they are.
        source: the encrypted file, relative to the root.
        output: the written file, relative to the root where it is inside; `-` for none.
        names: its variables; of JSON and YAML the keys; of a binary file none.
        dropped: variables of the file that stood there before and that the new one has not.
        form: as the plan's.
        quoted: variables of an encrypted dotenv file that keep the quotes around their value.
        content: the plaintext itself.
    """

    environment: str
    source: str
    output: str
    names: tuple[str, ...]
    dropped: tuple[str, ...] = ()
    form: str = DOTENV
    quoted: tuple[str, ...] = ()
    content: bytes = field(default=b"", repr=False)


def plan_decrypt(
    ws: Workspace,
    *,
    env: str | None = None,
    output: str | Path = "",
    file: str = "",
    form: str = DOTENV,
) -> DecryptPlan:
    """Return which file would be decrypted to where.

    Args:
        ws: the repository.
        env: the environment; default `development`.
        output: where to; relative to the root, `-` for standard output. Outside of any repository
            is allowed. Default `.env`, or `.env.NAME` for another environment, with the form's
            name after it where that is another one.
        file: another encrypted file than the environment's; then `output` is needed too.
        form: `dotenv`, `json` or `yaml`.

    Raises:
        UsageError: the environment or the form is unknown, Git would take the file up, or it
            cannot be one.
        MissingSecretsError: the environment has no encrypted file.
    """
    if form not in FORMS:
        raise unknown("format", form, FORMS)
    source = find(ws, env, file)
    binary = source.kind == "binary"
    if binary and form != DOTENV:
        raise UsageError(
            f"{source.name} cannot be written as {form}: SOPS takes it for a binary file",
            next_step="leave --format out: it is written as it is",
        )
    if not str(output) and (file or binary):
        raise UsageError(
            f"--output is missing: where {source.name} is to be decrypted to",
            next_step="name a file that Git ignores, or --output - for standard output",
        )
    kept = AS_IT_IS if binary else form
    if str(output) == STANDARD_OUTPUT:
        return DecryptPlan(source, None, STANDARD_OUTPUT, kept)
    target = _target(ws, str(output) or _default(source, form))
    inside = target.is_relative_to(ws.root)
    return DecryptPlan(source, target, str(target.relative_to(ws.root) if inside else target), kept)


def decrypt(
    ws: Workspace,
    *,
    env: str | None = None,
    output: str | Path = "",
    file: str = "",
    form: str = DOTENV,
) -> Decrypted:
    """Write the secrets of an environment to a file of mode 0600; nowhere for the output `-`.

    Whatever fails, the file that stood there before is unchanged. Arguments are those of
    `plan_decrypt`.

    Raises:
        UsageError: as `plan_decrypt`; or production would use the development key.
        CheckFailedError: the file is missing, not decryptable, tampered with or no secrets file.
        UnavailableError: sops is missing or too old.
        LockedError: another run is writing it.
        HullwrightError: the disk is full, or the folder cannot be written.
    """
    plan = plan_decrypt(ws, env=env, output=output, file=file, form=form)
    if plan.target is None:
        return _opened(ws, plan)
    with ws.writing(plan.target, plan.output) as fresh:
        done = _opened(ws, plan)
        # Where Git ignores it and the next decrypt replaces it: a kill leaves no plaintext about.
        write_atomic(plan.target, done.content, mode=MODE, by=fresh)
    return done


def _opened(ws: Workspace, plan: DecryptPlan) -> Decrypted:
    """Return what is to be written; nothing is yet."""
    source = plan.source
    done = Decrypted(source.environment, source.name, plan.output, (), form=plan.form)
    if plan.form == AS_IT_IS:
        return replace(done, content=exact(ws, source))
    if plan.form == "yaml":
        names, told = as_yaml(ws, source)
        return replace(done, names=names, content=told.encode())
    tree, text = as_tree(ws, source)
    done = replace(done, quoted=_quoted(tree) if source.kind == DOTENV else ())
    if plan.form == DOTENV:
        values = flatten(tree, source.name)
        gone = tuple(name for name in _before(plan.target) if name not in values)
        return replace(done, names=tuple(values), dropped=gone, content=_lines(plan, values))
    names = tuple(".".join(path) for path, _ in leaves(tree))
    return replace(done, names=names, content=f"{text.reveal().rstrip()}\n".encode())


def _lines(plan: DecryptPlan, values: dict[str, str]) -> bytes:
    lines = [dotenv.line(name, value) for name, value in values.items()]
    if plan.target is not None:
        head = f"# Decrypted from {plan.source.name}; the next decrypt replaces this file."
        lines.insert(0, head)
    return "".join(f"{line}\n" for line in lines).encode()


def _quoted(tree: object) -> tuple[str, ...]:
    """Return keys whose values stand in quotes: of a dotenv file SOPS keeps them as they are."""
    pairs = tree.items() if isinstance(tree, dict) else ()
    return tuple(
        name
        for name, value in pairs
        if len(value) > 1 and value[0] == value[-1] and value[0] in {'"', "'"}
    )


def _default(source: Source, form: str) -> str:
    # Another environment's values must not take the place of the developer's own.
    own = "" if source.environment == DEVELOPMENT else f".{source.environment}"
    return f".env{own}" if form == DOTENV else f".env{own}.{form}"


def _target(ws: Workspace, output: str) -> Path:
    # The folder's real place, but the name as it is: a link is replaced, not followed.
    target = (ws.root / output).parent.resolve() / Path(output).name
    if target.is_dir():
        raise UsageError(f"{output} is a folder", next_step="name a file: --output .env")
    # Renaming a file onto /dev/stdout would take it from the whole machine, and what it stands for
    # may well be a file.
    special = target.parent == _DEVICES or target.is_relative_to(_PROCESSES)
    if special or (target.exists() and not target.is_file()):
        raise UsageError(
            f"{output} is a device, a pipe or a socket, and would be replaced by a file",
            next_step=f"--output -   (prints it), or: rm {output}",
        )
    if not target.parent.is_dir():
        raise UsageError(f"{output} cannot be written: there is no folder {target.parent}")
    require_ignored(ws.runner, target, what="the secrets in it")
    return target


def _before(path: Path | None) -> list[str]:
    if path is None or not path.is_file():
        return []
    text = path.read_text(encoding="utf-8", errors="replace")
    return [entry.name for entry in dotenv.entries(text) if not entry.commented]
