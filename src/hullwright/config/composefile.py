"""The `build:` sections of compose files, read without Compose.

`docker compose config` is the truth about a stack, and what starts one asks it. This reading is for
knowing, in milliseconds and without an engine, which services a repository without configuration
builds; it knows overriding files, `include`, `extends`, anchors and `${VARIABLE:-default}`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from hullwright.config.composeyaml import parse
from hullwright.config.problems import ConfigurationError, Problem
from hullwright.errors import UsageError
from hullwright.images import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_VARIABLE: Final = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<plain>\w+)|\{(?P<name>\w+)(?::?-(?P<default>[^}]*)|[:?+][^}]*)?\})"
)
# Contexts that are fetched: of these, and of inline Dockerfiles, only Compose makes an image.
REMOTE: Final = re.compile(r"[a-z]+://|git@|github\.com/")
# Contexts that are no folder: an address, an image, a sibling's image.
_NO_FOLDER: Final = re.compile(r"[a-z][a-z+.-]*://|git@|github\.com/|(?:service|target):")
_HOST: Final = re.compile(r"(?P<name>[^=:]+)[=:](?P<address>.+)")
# Deeper nesting than anybody writes: what goes beyond includes or extends itself.
_DEEPEST: Final = 20


_Service = dict[str, object]
_NONE: Final = MappingProxyType[str, str]({})


@dataclass(frozen=True, slots=True)
class ComposeBuild:
    """What a compose file builds for one of its services.

    Attributes:
        service: the service's name.
        context: absolute folder.
        dockerfile: absolute file.
        target: the stage that the service runs; empty for the last one.
        image: repository that the service names; empty for none.
        args: build arguments that have a value, here or in the environment.
        contexts: what names of images stand for: a folder, `service:NAME` or an address.
        secrets: by their id: `env:NAME`, or `file:` and an absolute path.
        ssh: agents and keys, such as `default` or `id=PATH`.
        platforms: as written.
        labels: of the image.
        extra: other attributes, by bake's names and as bake has them.
    """

    service: str
    context: Path
    dockerfile: Path
    target: str = ""
    image: str = ""
    args: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, str | Path] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    ssh: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, object] = field(default_factory=dict)


def read_builds(root: Path, files: Sequence[str], environ: Mapping[str, str]) -> list[ComposeBuild]:
    """Return what the services of `files`, each overriding those before it, build.

    Raises:
        ConfigurationError: a file is missing or is not YAML.
    """
    if not files:
        return []
    base = (root / files[0]).parent
    reader = _Reader(root, environ)
    services = reader.all_services(files)
    sections = (service.get("build") for service in services.values())
    secret = any(isinstance(section, dict) and section.get("secrets") for section in sections)
    secrets = reader.secrets(files) if secret else {}
    found = (reader.build(name, service, base, secrets) for name, service in services.items())
    return [build for build in found if build]


@dataclass(frozen=True, slots=True)
class ComposeImage:
    """The image that a service runs.

    Attributes:
        service: the service's name.
        image: as the file names it, variables replaced; empty where only a build is named.
        built: whether the service has a build section.
    """

    service: str
    image: str
    built: bool


def read_images(
    root: Path, files: Sequence[str], environ: Mapping[str, str]
) -> tuple[ComposeImage, ...]:
    """Return the image of each service of `files`, each file overriding those before it.

    Raises:
        ConfigurationError: a file is missing or is not YAML.
    """
    if not files:
        return ()
    reader = _Reader(root, environ)
    return tuple(
        ComposeImage(name, reader.image(service), bool(service.get("build")))
        for name, service in reader.all_services(files).items()
    )


@dataclass(frozen=True, slots=True)
class Included:
    """A file that another one includes.

    Attributes:
        services: those that it brings, by name.
        env_files: files whose variables only what it brings is given.
    """

    services: frozenset[str]
    env_files: tuple[Path, ...]


def read_included(
    root: Path, files: Sequence[str], environ: Mapping[str, str]
) -> tuple[Included, ...]:
    """Return what `files` include, and what that includes in turn.

    Raises:
        ConfigurationError: a file is missing or is not YAML.
    """
    reader = _Reader(root, environ)
    return tuple(each for file in files for each in reader.included(root / file, 0))


def read_files(root: Path, files: Sequence[str], environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return `files` with those that they include or extend, each once, as they are first read.

    Raises:
        ConfigurationError: a file is missing or is not YAML.
    """
    reader = _Reader(root, environ)
    if files:
        reader.all_services(files)
    return tuple(reader.files)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads files of one repository with one set of variables, and notes which."""

    root: Path
    environ: Mapping[str, str]
    files: dict[Path, None] = field(default_factory=dict)

    def all_services(self, files: Sequence[str]) -> dict[str, _Service]:
        """Return the services of all files, each overriding those before it."""
        base = (self.root / files[0]).parent
        services: dict[str, _Service] = {}
        for file in files:
            for name, service in self.services(self.root / file, base, 0).items():
                services[name] = _merged(services.get(name, {}), service)
        return services

    def services(self, file: Path, base: Path, depth: int) -> dict[str, _Service]:
        """Return the services of a file: their images, and builds with absolute contexts."""
        document = self._document(file, depth)
        found: dict[str, _Service] = {}
        for path, inner, _ in self._included(document, file):
            found.update(self.services(path, inner, depth + 1))
        own = _mapping(document.get("services"))
        for name in own:
            merged = self._extended(own, f"{name}", file, base, depth)
            found[f"{name}"] = _merged(found.get(f"{name}", {}), merged)
        return found

    def secrets(self, files: Sequence[str]) -> dict[str, str]:
        """Return where the secrets of all files come from: `env:NAME` or `file:` and a path."""
        base = (self.root / files[0]).parent
        found: dict[str, str] = {}
        for file in files:
            found.update(self._secrets(self.root / file, base, 0))
        return found

    def _secrets(self, file: Path, base: Path, depth: int) -> dict[str, str]:
        document = self._document(file, depth)
        found: dict[str, str] = {}
        for path, inner, _ in self._included(document, file):
            found.update(self._secrets(path, inner, depth + 1))
        for name, entry in _mapping(document.get("secrets")).items():
            secret = _mapping(entry)
            if secret.get("environment"):
                found[f"{name}"] = f"env:{self._text(secret['environment'])}"
            elif secret.get("file"):
                found[f"{name}"] = f"file:{base / self._text(secret['file'])}"
        return found

    def included(self, file: Path, depth: int) -> Iterator[Included]:
        """Yield what a file includes, and what that includes in turn."""
        for path, inner, env_files in self._included(self._document(file, depth), file):
            yield Included(frozenset(self.services(path, inner, depth + 1)), env_files)
            yield from self.included(path, depth + 1)

    def _included(
        self, document: Mapping[object, object], file: Path
    ) -> Iterator[tuple[Path, Path, tuple[Path, ...]]]:
        """Yield the files that a file includes, each with its paths' folder and its env files."""
        for include in _list(document.get("include")):
            entry = include if isinstance(include, Mapping) else {"path": include}
            paths = [file.parent / self._text(path) for path in _list(entry.get("path"))]
            folder = entry.get("project_directory")
            base = file.parent / self._text(folder) if folder else paths[0].parent
            given = [file.parent / self._text(each) for each in _list(entry.get("env_file"))]
            for path in paths:
                yield path, base, tuple(given) or (base / ".env",)

    def build(
        self, name: str, service: _Service, base: Path, secrets: Mapping[str, str]
    ) -> ComposeBuild | None:
        """Return what a service builds; None without a local context and Dockerfile."""
        build = service.get("build")
        if not isinstance(build, dict) or "dockerfile_inline" in build:
            return None
        context = build.get("context", base)
        if not isinstance(context, Path):
            return None
        return ComposeBuild(
            service=name,
            context=context,
            dockerfile=context / self._text(build.get("dockerfile") or "Dockerfile"),
            target=self._text(build.get("target") or ""),
            image=self._repository(self._text(service.get("image") or "")),
            args=self._args(build.get("args"), self.environ),
            contexts=_contexts(build.get("additional_contexts")),
            secrets=dict(self._build_secrets(build.get("secrets"), secrets)),
            ssh=self._agents(build.get("ssh")),
            platforms=tuple(self._text(each) for each in _list(build.get("platforms"))),
            labels=self._args(build.get("labels")),
            extra=self._extra(build),
        )

    def image(self, service: _Service) -> str:
        """Return the image that a service names, variables replaced; empty for none."""
        return self._text(service.get("image") or "")

    def _extended(
        self, services: Mapping[object, object], name: str, file: Path, base: Path, depth: int
    ) -> _Service:
        service = _mapping(services.get(name))
        own = {key: service[key] for key in ("image", "build") if key in service}
        if "build" in own:
            own["build"] = self._located(own["build"], base)
        extends = service.get("extends")
        if not extends or depth > _DEEPEST:
            return own
        entry = extends if isinstance(extends, Mapping) else {"service": extends}
        parent = self._text(entry.get("service"))
        if not entry.get("file"):
            return _merged(self._extended(services, parent, file, base, depth + 1), own)
        other = file.parent / self._text(entry["file"])
        return _merged(self.services(other, other.parent, depth + 1).get(parent, {}), own)

    def _located(self, build: object, base: Path) -> object:
        """Return a build section in its long form, with an absolute context where it is local."""
        if build is None:
            return None
        section = dict(build) if isinstance(build, Mapping) else {"context": build}
        if section.get("context"):
            context = self._text(section["context"])
            section["context"] = context if REMOTE.match(context) else base / context
        if section.get("additional_contexts"):
            section["additional_contexts"] = {
                name: value if _NO_FOLDER.match(value) else base / value
                for name, value in self._args(section["additional_contexts"]).items()
            }
        return section

    def _build_secrets(
        self, entries: object, secrets: Mapping[str, str]
    ) -> Iterator[tuple[str, str]]:
        for entry in _list(entries):
            long = entry if isinstance(entry, Mapping) else {"source": entry}
            source = self._text(long.get("source"))
            if source in secrets:
                yield self._text(long.get("target") or source), secrets[source]

    def _agents(self, ssh: object) -> tuple[str, ...]:
        if not isinstance(ssh, Mapping):
            return tuple(self._text(entry) for entry in _list(ssh))
        return tuple(f"{k}={self._text(v)}" if v is not None else f"{k}" for k, v in ssh.items())

    def _extra(self, build: Mapping[str, object]) -> dict[str, object]:
        found: dict[str, object] = {}
        for name in ("cache_from", "cache_to"):
            if build.get(name):
                found[name.replace("_", "-")] = [self._text(entry) for entry in _list(build[name])]
        for name in ("network", "shm_size"):
            if build.get(name):
                found[name.replace("_", "-")] = self._text(build[name])
        hosts = build.get("extra_hosts")
        if hosts and not isinstance(hosts, Mapping):
            # Either sign stands there; an address of the sixth version has colons of its own.
            split = (_HOST.fullmatch(self._text(host)) for host in _list(hosts))
            hosts = {match["name"]: match["address"] for match in split if match}
        if hosts:
            found["extra-hosts"] = self._args(hosts)
        return found

    def _args(self, args: object, others: Mapping[str, str] = _NONE) -> dict[str, str]:
        """Return names with a value; those without one have that of `others`, if there is any."""
        if isinstance(args, Mapping):
            pairs = [(f"{name}", value) for name, value in args.items()]
        else:
            split = (self._text(entry).partition("=") for entry in _list(args))
            pairs = [(name, value if equals else None) for name, equals, value in split]
        values = {k: self._text(v) if v is not None else others.get(k) for k, v in pairs}
        return {name: value for name, value in values.items() if value is not None}

    def _repository(self, image: str) -> str:
        try:
            return Reference.parse(image.rstrip(":")).repository if image else ""
        except UsageError:
            return ""

    def _text(self, value: object) -> str:
        text = str(value).lower() if isinstance(value, bool) else f"{value}"
        return _VARIABLE.sub(self._variable, text)

    def _variable(self, match: re.Match[str]) -> str:
        if match["escaped"]:
            return "$"
        return self.environ.get(match["plain"] or match["name"]) or match["default"] or ""

    def _document(self, file: Path, depth: int) -> Mapping[object, object]:
        name = file.relative_to(self.root) if file.is_relative_to(self.root) else file
        if depth > _DEEPEST:
            raise ConfigurationError((Problem("", "includes itself", f"{name}"),))
        self.files[Path(os.path.normpath(file))] = None
        try:
            return _mapping(parse(file.read_text(encoding="utf-8")))
        except OSError as error:
            problem = Problem("", f"cannot be read: {error.strerror}", f"{name}")
        except ValueError as error:
            problem = Problem("", f"not YAML: {error}", f"{name}")
        raise ConfigurationError((problem,))


def _merged(under: _Service, over: _Service) -> _Service:
    """Return one service overridden by another as Compose merges images and builds."""
    merged = {**under, **over}
    below, above = under.get("build"), over.get("build")
    if isinstance(below, dict) and isinstance(above, dict):
        build = {**below, **above}
        for key in ("args", "additional_contexts", "labels"):
            if isinstance(below.get(key), dict) and isinstance(above.get(key), dict):
                build[key] = {**below[key], **above[key]}
        merged["build"] = build
    return merged


def _contexts(value: object) -> dict[str, str | Path]:
    return {f"{k}": v for k, v in _mapping(value).items() if isinstance(v, (str, Path))}


def _mapping(value: object) -> Mapping[object, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> Sequence[object]:
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)
