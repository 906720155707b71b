"""Decrypting: an encrypted file to variables, or an explanation of why not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hullwright.errors import CheckFailedError, HullwrightError
from hullwright.secret import Secret
from hullwright.secrets import keys
from hullwright.secrets.flatten import flatten
from hullwright.secrets.source import Source, find
from hullwright.tools import age, sops

if TYPE_CHECKING:
    from hullwright.run import Result
    from hullwright.workspace import Workspace


def environment(ws: Workspace, env: str | None = None) -> dict[str, Secret]:
    """Return the decrypted variables of an environment; output no longer shows their values.

    Raises:
        UsageError: the environment is unknown, or production would use the development key.
        CheckFailedError: the file is missing, not decryptable, tampered with or no secrets file.
        UnavailableError: sops is missing or too old.
    """
    return read(ws, find(ws, env))


def read(ws: Workspace, source: Source) -> dict[str, Secret]:
    """Return the decrypted variables of a file, as `environment` does."""
    if source.production:
        keys.refuse_development_key(ws, source, metadata(source))
    result = sops.decrypt(ws.runner, source.path, keys.for_sops(ws, source))
    if not result.ok:
        raise _explained(ws, source, result)
    # Numbers stay as sops wrote them: 1e3 is not 1000.0 to whom it is meant for.
    tree = json.loads(result.stdout, parse_int=str, parse_float=str)
    values = {name: Secret(value) for name, value in flatten(tree, source.name).items()}
    public = ws.config.secrets.public
    ws.runner.secrets.update(value for name, value in values.items() if name not in public)
    return values


def metadata(source: Source) -> sops.Metadata:
    """Return what an encrypted file says of itself.

    Raises:
        CheckFailedError: it is not YAML, or sops did not encrypt it.
    """
    # Costs 100 ms, so it is only read where something depends on it.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        document = YAML(typ="safe", pure=True).load(source.path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise CheckFailedError(
            f"{source.name} is not YAML",
            why=f"line {mark.line + 1}, column {mark.column + 1}" if mark else "not a text file",
            next_step=f"take the last good one: git checkout -- {source.name}",
        ) from error
    found = sops.metadata(document)
    if found is None:
        raise CheckFailedError(
            f"{source.name} is not encrypted: it has no part that sops wrote",
            next_step=f"sops encrypt --in-place {source.name}   (.sops.yaml says for whom)",
        )
    return found


def _explained(ws: Workspace, source: Source, result: Result) -> HullwrightError:
    found = metadata(source)
    said = ws.runner.redacted(result.stderr.strip().splitlines()[0] if result.stderr else "")
    if result.returncode in sops.TAMPERED:
        return _tampered(source, said)
    if result.returncode == sops.NO_KEY:
        return _no_key(ws, source, found)
    return CheckFailedError(
        f"{source.name} could not be decrypted",
        why=[("sops", said or f"ended with {result.returncode}")],
    )


def _tampered(source: Source, said: str) -> CheckFailedError:
    return CheckFailedError(
        f"{source.name} was changed without sops, or damaged: its checksum does not fit",
        why=[("sops", said), ("note", "nothing was written")],
        next_step=f"git log -p -- {source.name}   (and take the last good one)",
    )


def _no_key(ws: Workspace, source: Source, found: sops.Metadata) -> CheckFailedError:
    places = keys.looked_for(ws, source)
    here = [key for place in places for key in place.recipients]
    if set(here) & set(found.recipients):
        return _tampered(source, "the key is here, but does not open the file's data key")
    public = keys.development_recipients(ws)
    own = [key for key in here if key not in public]
    encrypted_to = [*(age.short(key) for key in found.recipients), *found.others]
    return CheckFailedError(
        f"missing: the key that decrypts {source.name}",
        why=[
            ("the file is encrypted to", ", ".join(encrypted_to) or "nobody"),
            (
                "keys that were looked for",
                "\n".join(f"{place.name}: {place.finding}" for place in places),
            ),
        ],
        next_step=_how_to_get_in(source, own),
    )


def _how_to_get_in(source: Source, own: list[str]) -> str:
    if own:
        return (
            "ask a holder of one of its keys to run:\n"
            f"sops rotate --in-place --add-age {own[0]} {source.name}"
        )
    return (
        "mkdir -p ~/.config/sops/age && age-keygen -o ~/.config/sops/age/keys.txt\n"
        "and ask a holder of one of its keys to add the public key that this prints"
    )
