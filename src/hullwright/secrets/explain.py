"""Why a file was not decrypted: the usual mistakes, each with what to do about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hullwright.errors import CheckFailedError, HullwrightError
from hullwright.secrets import keys
from hullwright.secrets.source import named
from hullwright.tools import age, sops, sopsfile

if TYPE_CHECKING:
    from hullwright.run import Result
    from hullwright.secrets.source import Source
    from hullwright.workspace import Workspace

_KINDS: Final = {"yaml": "YAML", "json": "JSON"}
_MARK: Final = "\ufeff"
# Kinds of file of which sops takes the mark for a part of the text.
_NO_MARK: Final = frozenset({"json", "binary", "dotenv"})
_CITED: Final = re.compile("invalid dotenv input line|key-value delimiter not found|Input string")
_CONFLICT: Final = re.compile("^(?:<{7}|>{7}) ", re.MULTILINE)
_REPEATED: Final = re.compile(r'mapping key "(?P<key>.+)" already defined')
_ANY_FAILURE: Final = 1
# sops names the file and "config" when it is its own configuration that it cannot read.
_RULES_BROKEN: Final = "error loading config"


class MissingKeyError(CheckFailedError):
    """No key that is here decrypts a file; nothing is wrong with the file itself."""


def explained(ws: Workspace, source: Source, result: Result) -> HullwrightError:
    """Return the error of a file that sops did not decrypt.

    Raises:
        CheckFailedError: the file itself is damaged, or none of SOPS.
    """
    said = ws.runner.redacted(_first_line(result.stderr))
    if said.startswith(_RULES_BROKEN):
        return CheckFailedError(
            f"{source.name} could not be decrypted: sops cannot read its own .sops.yaml",
            why=[("sops", said)],
            next_step="git diff -- .sops.yaml   (and mend it)",
        )
    _refuse_damage(source, said, result.stderr)
    found = metadata(source)
    if result.returncode == _ANY_FAILURE and found.lacks:
        raise _cut_off(source, f"{', '.join(found.lacks)} is missing in what sops wrote at its end")
    if result.returncode in sops.TAMPERED:
        return _tampered(source, said)
    if result.returncode == sops.NO_KEY:
        return _no_key(ws, source, found, sops.reasons(result.stderr))
    return CheckFailedError(
        f"{source.name} could not be decrypted",
        why=[("sops", said or f"ended with {result.returncode}")],
        next_step=f"sops decrypt {source.name}   (says more)",
    )


def metadata(source: Source) -> sops.Metadata:
    """Return what an encrypted file says of itself.

    Raises:
        CheckFailedError: it cannot be read as what it is, or sops did not encrypt it.
    """
    text = source.text
    if not text.strip():
        raise CheckFailedError(
            f"{source.name} is empty",
            next_step=f"take the last good one: git checkout -- {source.name}",
        )
    document = _yaml(source, text) if source.kind == "yaml" else _other(source, text)
    found = sops.metadata(document)
    if found is not None:
        return found
    if sops.ENCRYPTED in text:
        raise _cut_off(source, "the part in which sops keeps the keys is missing")
    raise _plain(source)


def repeated(source: Source, key: str) -> CheckFailedError:
    """Return the error of a file that has a key twice, so that nobody knows which one is meant."""
    # Of other kinds sops itself reads both.
    back = f"take the last good one: git checkout -- {source.name}"
    edit = f"sops edit {source.name}   (and leave one of them)"
    return CheckFailedError(
        f'{source.name}: the key "{key}" is there twice',
        next_step=back if source.kind == "yaml" else edit,
    )


def _yaml(source: Source, text: str) -> object:
    # Costs 100 ms, so it is only read where something depends on it.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "not a text file"
        raise _unreadable(source, text, where) from error


def _other(source: Source, text: str) -> object:
    try:
        return sopsfile.parse(text, source.kind)
    except ValueError as error:
        at = (getattr(error, "lineno", 0), getattr(error, "colno", 0))
        raise _unreadable(source, text, f"line {at[0]}, column {at[1]}") from error


def _first_line(stderr: str) -> str:
    """Return what sops says first, without the line or value that it cites: it may be plain."""
    first = next(iter(stderr.strip().splitlines()), "")
    cited = _CITED.search(first)
    return first[: cited.end()] if cited else first


def _refuse_damage(source: Source, said: str, stderr: str) -> None:
    """Raise where it can be seen what happened to a file."""
    text = source.text
    if _CONFLICT.search(text):
        raise CheckFailedError(
            f"{source.name} holds both sides of a merge conflict",
            why="sides cannot be mixed: the checksum of one does not fit the other",
            next_step=f"git checkout --ours -- {source.name}   (and make the other change again)",
        )
    twice = _REPEATED.search(stderr)
    if twice:
        raise repeated(source, twice["key"])
    if text.startswith(_MARK) and source.kind in _NO_MARK:
        raise CheckFailedError(
            f"{source.name} begins with a byte order mark, which an editor put there",
            why=[("sops", said)],
            next_step=rf"sed -i '1s/^\xEF\xBB\xBF//' {source.name}",
        )
    if "\r\n" in text and source.kind == "dotenv":
        raise CheckFailedError(
            f"{source.name} has the line ends of Windows, which sops does not read in it",
            why=[("sops", said)],
            next_step=(
                f"sed -i 's/\\r$//' {source.name}\n"
                f"and add to .gitattributes: {source.name} -text   (so that Git changes none)"
            ),
        )


def _unreadable(source: Source, text: str, where: str) -> CheckFailedError:
    if sops.ENCRYPTED in text:
        return _cut_off(source, f"it cannot be read beyond {where}")
    if source.kind == "binary":
        return _plain(source)
    return CheckFailedError(
        f"{source.name} is not {_KINDS[source.kind]}",
        why=where,
        next_step=f"take the last good one: git checkout -- {source.name}",
    )


def _plain(source: Source) -> CheckFailedError:
    return CheckFailedError(
        f"{source.name} is not encrypted: it has no part that sops wrote",
        next_step=f"sops encrypt --in-place {source.name}",
    )


def _cut_off(source: Source, why: str) -> CheckFailedError:
    return CheckFailedError(
        f"{source.name} is cut off or damaged: it has encrypted values, but not all of the rest",
        why=why,
        next_step=f"take the last good one: git checkout -- {source.name}",
    )


def _tampered(source: Source, said: str) -> CheckFailedError:
    return CheckFailedError(
        f"{source.name} was changed without sops, or damaged: its checksum does not fit",
        # The two sums that it compares are hexadecimal digits by the hundred, and help nobody.
        why=[("sops", said.partition(". File has ")[0])],
        next_step=f"git log -p -- {source.name}   (and take the last good one)",
    )


def _no_key(
    ws: Workspace, source: Source, found: sops.Metadata, reasons: dict[str, str]
) -> CheckFailedError:
    places = keys.looked_for(ws, source)
    here = [key for place in places for key in place.recipients]
    if set(here) & set(found.recipients):
        return _tampered(source, "the key is here, but does not open the file's data key")
    public = keys.development_recipients(ws)
    own = [key for key in here if key not in public]
    encrypted_to = [*(age.short(key) for key in found.recipients), *found.others]
    # Of age keys the places below say more; of another service only sops knows what it answered.
    said = [f"{key}: {why}" for key, why in reasons.items() if why and key not in found.recipients]
    return MissingKeyError(
        f"missing: the key that decrypts {source.name}",
        why=[
            ("the file is encrypted to", ", ".join(encrypted_to) or "nobody"),
            (
                "keys that were looked for",
                "\n".join(f"{place.name}: {place.finding}" for place in places),
            ),
            ("sops", ws.runner.redacted("\n".join(said))),
        ],
        next_step=_mend(places) or _how_to_get_in(ws, source, own),
    )


def _mend(places: list[keys.Place]) -> str:
    """Return what to do about a key that is here and is not taken, which may be the right one."""
    return next((place.remedy for place in places if place.remedy), "")


def _how_to_get_in(ws: Workspace, source: Source, own: list[str]) -> str:
    if own:
        known = named(ws, source.environment).path.resolve() == source.path.resolve()
        task = f"invoke secrets.recipients --add {own[0]} --env {source.environment}"
        bare = f"sops rotate --in-place --add-age {own[0]} {source.name}"
        return f"ask a holder of one of its keys to run:\n{task if known else bare}"
    return (
        "invoke secrets.init\n"
        "and ask a holder of one of its keys to add the public key that this makes and prints"
    )
