"""SOPS: decrypting a file, and what its metadata says of who can.

What went wrong is told by exit codes, which are an interface, and not by messages:
https://github.com/getsops/sops/blob/main/cmd/sops/codes/codes.go
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hullwright.run import Result, Runner
    from hullwright.secret import Secret

MINIMUM: Final = (3, 10)
NO_KEY: Final = 128
# A value, the tree or the checksum over all of them does not fit the key.
TAMPERED: Final = frozenset({25, 51, 52})
_OTHER_KINDS: Final = {
    "kms": "AWS KMS",
    "gcp_kms": "GCP KMS",
    "azure_kv": "Azure Key Vault",
    "hc_vault": "Vault",
    "hckms": "Huawei KMS",
    "pgp": "PGP",
}
_KEY_LINE: Final = re.compile(
    r"""(?P<indent>[ ]*)(?P<quote>["']?)(?P<key>[^\s:#"'-][^:"']*)(?P=quote):"""
    r"(?:[ ]+(?P<value>.+))?"
)


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a file says of itself in the clear.

    Attributes:
        recipients: age public keys that it is encrypted to.
        others: key services that it is encrypted to as well, such as `AWS KMS`.
        names: its top-level keys.
    """

    recipients: tuple[str, ...]
    others: tuple[str, ...]
    names: tuple[str, ...]


def decrypt(runner: Runner, path: Path, env: Mapping[str, str | Secret]) -> Result:
    """Return what sops gave: JSON on success, else an exit code to be explained.

    Raises:
        UnavailableError: sops is missing, or so old that it does not know what is asked.
    """
    words = ("decrypt", "--input-type", "yaml", "--output-type", "json")
    result = runner.read("sops", *words, str(path), env=env, check=False)
    # The version is only asked for when something went wrong, to save a process.
    if not result.ok:
        _require_minimum(runner)
    return result


def metadata(document: object) -> Metadata | None:
    """Return the metadata of a parsed file, or None where sops did not encrypt it."""
    if not isinstance(document, dict) or not isinstance(document.get("sops"), dict):
        return None
    own: dict[str, Any] = document["sops"]
    groups = [own, *(g for g in own.get("key_groups") or [] if isinstance(g, dict))]
    recipients = [
        str(key["recipient"])
        for group in groups
        for key in group.get("age") or []
        if isinstance(key, dict) and "recipient" in key
    ]
    others = [told for kind, told in _OTHER_KINDS.items() if any(g.get(kind) for g in groups)]
    names = tuple(str(name) for name in document if name != "sops")
    return Metadata(tuple(dict.fromkeys(recipients)), tuple(others), names)


def value_keys(text: str) -> list[tuple[str, ...]]:
    """Return the path of each value in a file as sops writes it; nothing is decrypted.

    It goes by indentation, which sops keeps regular, because a YAML reader takes 100 ms to start.
    """
    found: list[tuple[str, ...]] = []
    above: list[tuple[int, str]] = []
    for line in text.splitlines():
        match = _KEY_LINE.fullmatch(line)
        if match is None:
            continue
        indent = len(match["indent"])
        while above and above[-1][0] >= indent:
            above.pop()
        path = (*(key for _, key in above), match["key"])
        above.append((indent, match["key"]))
        if match["value"] and path[0] != "sops":
            found.append(path)
    return found


def parse_version(text: str) -> tuple[int, ...] | None:
    """Return the version in what `sops --version` prints, or None."""
    match = re.search(r"\bsops (\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in match.groups()) if match else None


def _require_minimum(runner: Runner) -> None:
    # Without the flag, old versions ask a server for a newer one.
    told = runner.read("sops", "--version", "--disable-version-check", check=False).stdout
    version = parse_version(told)
    if version is None or version[:2] < MINIMUM:
        have = ".".join(map(str, version)) if version else "a version that it does not tell"
        need = ".".join(map(str, MINIMUM))
        raise UnavailableError(
            f"sops is too old: {have}, and {need} is needed",
            why=[("program", runner.resolve("sops"))],
            next_step="invoke setup --install, or see https://github.com/getsops/sops/releases",
        )
