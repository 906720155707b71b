"""Whether `.sops.yaml` says for whom a new file is encrypted: without that sops makes none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.workspace import Workspace

FILE: Final = ".sops.yaml"


def how_to_make(ws: Workspace, name: str) -> str:
    """Return the commands that make an encrypted file, from what is missing for it."""
    lines = []
    found = _rules_file(ws.root)
    if found is None:
        lines = [f"write {FILE} first:", "creation_rules:", *_rule(name)]
    elif not _has_rule(found, (ws.root / name).relative_to(found.parent).as_posix()):
        lines = [f"add a rule to {FILE} first, no one matches {name}:", *_rule(name)]
    folder = (ws.root / name).parent
    make = "" if folder.is_dir() else f"mkdir -p {folder.relative_to(ws.root)} && "
    return "\n".join([*lines, f"{'then: ' if lines else ''}{make}sops edit {name}"])


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
