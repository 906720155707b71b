"""Decrypting: an encrypted file to variables, to a tree, or to its own bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from hullwright.errors import CheckFailedError, UsageError
from hullwright.secret import Secret
from hullwright.secrets import keys
from hullwright.secrets.explain import explained, metadata, repeated
from hullwright.secrets.flatten import flatten, leaves, public_names, without_ini_top
from hullwright.secrets.source import Source, find
from hullwright.tools import sops, sopsfile
from hullwright.tools.dotenv import variable_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.workspace import Workspace

__all__ = ["as_tree", "as_yaml", "environment", "exact", "metadata", "read"]

# What stands for bytes that are no UTF-8 in the JSON that sops writes.
_REPLACED: Final = "\ufffd"


def environment(ws: Workspace, env: str | None = None, *, file: str = "") -> dict[str, Secret]:
    """Return the decrypted variables of an environment; output no longer shows their values.

    Args:
        ws: the repository.
        env: the environment; default `development`.
        file: another encrypted file than the environment's, relative to the root.

    Raises:
        UsageError: the environment is unknown, production would use the development key, or the
            file is one that has no variables.
        CheckFailedError: the file is missing, not decryptable, tampered with or no secrets file.
        UnavailableError: sops is missing or too old.
    """
    return read(ws, find(ws, env, file))


def read(ws: Workspace, source: Source) -> dict[str, Secret]:
    """Return the decrypted variables of a file, as `environment` does."""
    tree, _ = as_tree(ws, source)
    return {name: Secret(value) for name, value in flatten(tree, source.name).items()}


def as_tree(ws: Workspace, source: Source) -> tuple[Mapping[str, object], Secret]:
    """Return the decrypted tree of a file, numbers as texts, and the same as JSON.

    Raises:
        UsageError: it is a file that SOPS takes for binary; otherwise as `environment`.
    """
    kind = source.kind
    if kind == "binary":
        raise UsageError(
            f"{source.name} has no variables: SOPS takes it for a binary file, by its name",
            why="of files that end in .yaml, .yml, .json, .env or .ini it reads keys and values",
            next_step=f"invoke decrypt --file {source.name} --output PATH   (writes it as it is)",
        )
    _ready(ws, source)
    result = sops.decrypt(ws.runner, source.path, keys.for_sops(ws, source), kind)
    if not result.ok:
        raise explained(ws, source, result)
    # Numbers stay as sops wrote them: 1e3 is not 1000.0 to whom it is meant for.
    tree = json.loads(
        result.stdout,
        parse_int=str,
        parse_float=str,
        object_pairs_hook=lambda pairs: _unique(source, pairs),
    )
    if kind == "ini":
        tree = without_ini_top(tree, source.name)
    _protect(ws, tree)
    replaced = [".".join(path) for path, value in leaves(tree) if _REPLACED in value]
    if replaced:
        _require_utf8(ws, source, replaced[0])
    return tree, Secret(result.stdout)


def as_yaml(ws: Workspace, source: Source) -> tuple[tuple[str, ...], str]:
    """Return the keys of a file, and its decrypted tree as YAML with its comments.

    Failures are those of `as_tree`.
    """
    if source.kind == "yaml":
        _ready(ws, source)
        names = sopsfile.names(source.text, "yaml")
    else:
        tree, _ = as_tree(ws, source)
        names = [path for path, _ in leaves(tree)]
    env = keys.for_sops(ws, source)
    result = sops.decrypt(ws.runner, source.path, env, source.kind, "yaml")
    if not result.ok:
        raise explained(ws, source, result)
    ws.runner.secrets.add(Secret(result.stdout))
    return tuple(".".join(path) for path in names), result.stdout


def exact(ws: Workspace, source: Source) -> bytes:
    """Return the decrypted bytes of a binary file; failures are those of `as_tree`."""
    _ready(ws, source)
    env = keys.for_sops(ws, source)
    result, content = sops.decrypt_bytes(ws.runner, source.path, env, source.kind)
    if not result.ok:
        raise explained(ws, source, result)
    ws.runner.secrets.add(Secret(content.decode("utf-8", errors="replace")))
    return content


def _ready(ws: Workspace, source: Source) -> None:
    """Refuse what sops would decrypt, and must not, or not as it stands there."""
    text = source.text
    if source.production and keys.may_be_public(ws, text):
        keys.refuse_development_key(ws, source, metadata(source))
    if source.kind == "yaml" and sopsfile.has_several_documents(text):
        raise CheckFailedError(
            f"{source.name} holds several YAML documents, and only the first would be read",
            next_step=f"sops edit {source.name}   (and leave one document)",
        )


def _unique(source: Source, pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise repeated(source, next(name for name in names if names.count(name) > 1))
    return found


def _protect(ws: Workspace, tree: Mapping[str, object]) -> None:
    """Let output show no value but those of `[secrets] public` from here on."""
    public = public_names(ws.config.secrets)
    named = ((variable_name(path), value) for path, value in leaves(tree))
    ws.runner.secrets.update(Secret(value) for name, value in named if name not in public)


def _require_utf8(ws: Workspace, source: Source, key: str) -> None:
    """Raise where sops replaced bytes of a value, which then would not be the one that was kept."""
    env = keys.for_sops(ws, source)
    _, content = sops.decrypt_bytes(ws.runner, source.path, env, source.kind)
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CheckFailedError(
            f'{source.name}: the value of "{key}" is not UTF-8, so it cannot be handed over',
            next_step=f"sops edit {source.name}   (and keep it in base64, or in a file of its own)",
        ) from error
