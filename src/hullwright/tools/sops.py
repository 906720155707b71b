"""SOPS: decrypting a file, and what its metadata says of who can.

What went wrong is told by exit codes, which are an interface, and not by messages:
https://github.com/getsops/sops/blob/main/cmd/sops/codes/codes.go
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from hullwright.run import Result, Runner
    from hullwright.secret import Secret

MINIMUM: Final = (3, 10)
NO_KEY: Final = 128
# How each encrypted value begins.
ENCRYPTED: Final = "ENC[AES256_GCM,"
# What every file of sops has at its end.
_END: Final = ("lastmodified", "mac", "version")
# A value, the tree or the checksum over all of them does not fit the key.
TAMPERED: Final = frozenset({25, 51, 52})
# What each other service calls its key.
_OTHER_KINDS: Final = {
    "kms": ("AWS KMS", "arn"),
    "gcp_kms": ("GCP KMS", "resource_id"),
    "azure_kv": ("Azure Key Vault", "vault_url"),
    "hc_vault": ("Vault", "vault_address"),
    "hckms": ("Huawei KMS", "key_id"),
    "pgp": ("PGP", "fp"),
}
# A person may have to find and type the passphrase of an SSH or PGP key first.
_PATIENCE_S: Final = 300.0
_FAILED_KEY: Final = re.compile(r"  (?P<key>\S.*): FAILED")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a file says of itself in the clear.

    Attributes:
        recipients: age public keys that it is encrypted to.
        others: other keys that it is encrypted to as well, such as `PGP 85D7…`.
        names: its top-level keys.
        lacks: what of the metadata itself is not there, as where the file is cut off.
    """

    recipients: tuple[str, ...]
    others: tuple[str, ...]
    names: tuple[str, ...]
    lacks: tuple[str, ...] = field(default=(), compare=False)


def decrypt(
    runner: Runner,
    path: Path,
    env: Mapping[str, str | Secret],
    kind: str = "yaml",
    form: str = "json",
) -> Result:
    """Return what sops gave: text of a form on success, else an exit code to be explained.

    Args:
        runner: starts it.
        path: the encrypted file.
        env: what it gets beside the environment.
        kind: what the file is: yaml, json, dotenv, ini or binary.
        form: what its output is to be, in the same words.

    Raises:
        UnavailableError: sops is missing, or so old that it does not know what is asked.
    """
    words = _words(path, kind, form)
    result = runner.read("sops", *words, env=env, timeout_s=_PATIENCE_S, check=False)
    # The version is only asked for when something went wrong, to save a process.
    if not result.ok:
        require(runner)
    return result


def decrypt_bytes(
    runner: Runner, path: Path, env: Mapping[str, str | Secret], kind: str
) -> tuple[Result, bytes]:
    """Return the same with the exact bytes of a file in its own form, whatever they are."""
    words = _words(path, kind, kind)
    result, content = runner.read_bytes("sops", *words, env=env, timeout_s=_PATIENCE_S)
    if not result.ok:
        require(runner)
    return result, content


def reasons(stderr: str) -> dict[str, str]:
    """Return why each key of a file did not open it, by what sops says where none did."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in stderr.splitlines():
        failed = _FAILED_KEY.fullmatch(line)
        if failed:
            lines = found.setdefault(failed["key"], [])
        elif line.startswith(("      | ", "    - | ")):
            lines.append(line[8:].strip())
    return {key: " ".join(told) for key, told in found.items()}


def metadata(document: object) -> Metadata | None:
    """Return the metadata of a parsed file, or None where sops did not encrypt it."""
    if not isinstance(document, dict) or not isinstance(document.get("sops"), dict):
        return None
    own: dict[str, Any] = document["sops"]
    groups = [own, *(g for g in _listed(own.get("key_groups")) if isinstance(g, dict))]
    recipients = [
        str(key["recipient"])
        for group in groups
        for key in _listed(group.get("age"))
        if isinstance(key, dict) and "recipient" in key
    ]
    others = [
        f"{told} {key[name]}".rstrip() if isinstance(key, dict) and name in key else told
        for kind, (told, name) in _OTHER_KINDS.items()
        for group in groups
        for key in _listed(group.get(kind))
    ]
    names = tuple(str(name) for name in document if name != "sops")
    lacks = tuple(name for name in _END if not own.get(name))
    return Metadata(tuple(dict.fromkeys(recipients)), tuple(dict.fromkeys(others)), names, lacks)


def parse_version(text: str) -> tuple[int, ...] | None:
    """Return the version in what `sops --version` prints, or None."""
    match = re.search(r"\bsops (\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in match.groups()) if match else None


def _words(path: Path, kind: str, form: str) -> tuple[str, ...]:
    return ("decrypt", "--input-type", kind, "--output-type", form, str(path))


def _listed(value: object) -> Iterable[Any]:
    """Return the keys of one kind; damaged metadata may hold something else in their place."""
    return value if isinstance(value, list) else ()


def require(runner: Runner, minimum: tuple[int, ...] = MINIMUM) -> None:
    """Hold that sops has at least a version.

    Raises:
        UnavailableError: it is older, or does not tell its version.
    """
    # Without the flag, old versions ask a server for a newer one.
    told = runner.read("sops", "--version", "--disable-version-check", check=False).stdout
    version = parse_version(told)
    if version is None or version < minimum:
        have = ".".join(map(str, version)) if version else "a version that it does not tell"
        raise UnavailableError(
            f"sops is too old: {have}, and {'.'.join(map(str, minimum))} is needed",
            why=[("program", runner.resolve("sops"))],
            next_step="invoke setup --install, or see https://github.com/getsops/sops/releases",
        )
