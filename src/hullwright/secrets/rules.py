"""Whether `.sops.yaml` says for whom a new file is encrypted: without that sops makes none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.workspace import Workspace

FILE: Final = ".sops.yaml"


def how_to_make(ws: Workspace, name: str, flag: str) -> str:
    """Return the commands that make an encrypted file, from what is missing for it.

    Args:
        ws: the repository.
        name: the file, relative to the root.
        flag: ` --env NAME`, or nothing for development.
    """
    steps = [f"invoke secrets.set --key NAME{flag}"]
    if by_hand(ws, name):
        steps.insert(0, f"invoke secrets.init{flag}")
    return "\n".join(steps)


def by_hand(ws: Workspace, name: str) -> list[str]:
    """Return the lines of the rule to write for a file; none where one covers it."""
    found = _rules_file(ws.root)
    if found is None:
        return [f"write {FILE} first:", "creation_rules:", *_rule(name)]
    if not _has_rule(found, (ws.root / name).relative_to(found.parent).as_posix()):
        return [f"add a rule to {FILE} first, none matches {name}:", *_rule(name)]
    return []


def _rule(name: str) -> list[str]:
    return [f"  - path_regex: ^{re.escape(name)}$", "    age: RECIPIENT"]


def _rules_file(root: Path) -> Path | None:
    """Return the file that sops takes: the nearest one, from the root upwards."""
    candidates = (folder / FILE for folder in (root, *root.parents))
    return next((path for path in candidates if path.is_file()), None)


def _has_rule(file: Path, name: str) -> bool:
    """Return whether a rule matches; what cannot be read is left to sops to complain of."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        document = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
        rules = document["creation_rules"]
        patterns = [str(rule.get("path_regex") or "") for rule in rules]
        return any(re.search(pattern, name) for pattern in patterns)
    except (OSError, YAMLError, KeyError, TypeError, AttributeError, re.error):
        return True
