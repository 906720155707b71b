"""Key pairs that tests sign with, made by the real cosign."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class KeyPair:
    """A key that signs, as cosign writes it, its password, and the public half.

    Attributes:
        private: PEM, encrypted with `password`.
        public: PEM.
    """

    private: str
    password: str
    public: str


def key_pair(folder: Path, environ: Mapping[str, str], password: str = "a password") -> KeyPair:  # noqa: S107  of a test
    """Make a key pair in a folder; its files are `cosign.key` and `cosign.pub`."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ("cosign", "generate-key-pair"),
        cwd=folder,
        env={**environ, "COSIGN_PASSWORD": password},
        check=True,
        capture_output=True,
    )
    private, public = (
        (folder / name).read_text(encoding="utf-8") for name in ("cosign.key", "cosign.pub")
    )
    return KeyPair(private, password, public)


def signed_digests(tags: Mapping[str, str] | list[str]) -> set[str]:
    """Return the digests that a repository has a signature of, by its tags."""
    return {
        f"sha256:{tag.removeprefix('sha256-').removesuffix('.sig')}"
        for tag in tags
        if tag.startswith("sha256-") and tag.endswith(".sig")
    }
