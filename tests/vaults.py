"""Repositories with encrypted files that tests build, by the real sops and age."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullwright.config.models import Config, Environment
from repositories import Repository, isolated, workspace

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.config.models import Secrets
    from hullwright.workspace import Workspace

IGNORED = "/.env\n/.hullwright/\n*.private\n"


@dataclass(frozen=True)
class Key:
    """An age key: the file of the secret part, and the public part."""

    path: Path
    public: str


@dataclass
class Vault:
    """A repository, its development key and a key of its own for production."""

    repository: Repository
    development: Key
    other: Key

    @property
    def root(self) -> Path:
        """The repository's root."""
        return self.repository.root

    def seal(self, name: str, plain: str, *keys: Key, kind: str = "yaml") -> Path:
        """Encrypt YAML or JSON to keys, under a name relative to the root."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        recipients = ",".join(key.public for key in keys or (self.development,))
        words = ("--input-type", kind, "--output-type", "yaml", "--age", recipients)
        # A rule of .sops.yaml is asked for by the name, so standard input has one.
        done = subprocess.run(
            ("sops", "encrypt", *words, "--filename-override", name),
            cwd=self.root,
            env=self.repository.environ,
            input=plain,
            check=True,
            capture_output=True,
            text=True,
        )
        path.write_text(done.stdout, encoding="utf-8")
        return path

    def seal_file(self, name: str, plain: bytes, *keys: Key) -> Path:
        """Encrypt the bytes of a file under its name, of the kind that SOPS takes it for."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        recipients = ",".join(key.public for key in keys or (self.development,))
        done = subprocess.run(
            ("sops", "encrypt", "--age", recipients, "--filename-override", name),
            cwd=self.root,
            env=self.repository.environ,
            input=plain,
            check=True,
            capture_output=True,
        )
        path.write_bytes(done.stdout)
        return path

    def key(self, path: Path) -> Key:
        """Make a new key."""
        return _key(path, self.repository.environ)

    def workspace(self, secrets: Secrets | None = None, **environ: str) -> Workspace:
        """Return the workspace; `production` is an environment that is one."""
        environments = {"production": Environment("production", production=True)}
        config = Config("p", environments=environments)
        if secrets:
            config = Config("p", environments=environments, secrets=secrets)
        return workspace(self.root, {**self.repository.environ, **environ}, config)


def _key(path: Path, environ: dict[str, str]) -> Key:
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(("age-keygen", "-o", str(path)), env=environ, check=True, capture_output=True)
    public = subprocess.run(
        ("age-keygen", "-y", str(path)), env=environ, check=True, capture_output=True, text=True
    )
    return Key(path, public.stdout.strip())


def made(tmp_path: Path) -> Vault:
    """Return a repository with a development key, and no encrypted file yet."""
    environ = isolated(tmp_path / "home")
    repository = Repository.made(tmp_path / "repository", environ)
    repository.write(".gitignore", IGNORED)
    development = _key(repository.root / "deploy/environments/development.agekey", environ)
    return Vault(repository, development, _key(tmp_path / "other.txt", environ))
