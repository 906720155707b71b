"""Loading: files, environment and command line to one frozen configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hullwright.config import discover, read
from hullwright.config.lazy import Lazy
from hullwright.config.models import Config, Stack, TagFlavor
from hullwright.config.problems import ConfigurationError, Notes, Problem
from hullwright.config.source import override, read_files
from hullwright.config.stacks import read_stack
from hullwright.config.table import Table, key_path
from hullwright.config.tags import read_flavor, read_tags
from hullwright.errors import suggestion
from hullwright.images import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hullwright.run import Runner

FOUND: Final = "found in the repository"


@dataclass(frozen=True, slots=True)
class Resolution:
    """A configuration as far as it could be resolved, and what is wrong in it."""

    config: Config
    problems: tuple[Problem, ...]


def load(
    root: Path,
    environ: Mapping[str, str],
    overrides: Mapping[str, str] | None = None,
    *,
    runner: Runner | None = None,
) -> Config:
    """Return the configuration of the repository at `root`.

    Args:
        root: its top folder.
        environ: `HULLWRIGHT_…` variables come before the file.
        overrides: words of the command line by key path; they come before everything.
        runner: asks bake about a bake file, once services are asked for; None makes one.

    Raises:
        ConfigurationError: with every problem, each under its key path.
        UsageError: two files configure it, or an override names no key.
    """
    resolution = resolve(root, environ, overrides, runner=runner)
    if resolution.problems:
        raise ConfigurationError(resolution.problems)
    return resolution.config


def resolve(
    root: Path,
    environ: Mapping[str, str],
    overrides: Mapping[str, str] | None = None,
    *,
    runner: Runner | None = None,
) -> Resolution:
    """Return what `load` does, with the problems beside it: for showing a broken configuration."""
    source, raw = read_files(root)
    notes = Notes(source)
    top = Table(override(raw, notes, environ, overrides or {}), "", notes)
    config = _config(top, root, environ, runner)
    top.finish()
    _check_references(config, top)
    problems = sorted(notes.problems, key=lambda problem: _place(top.raw, problem.path))
    return Resolution(replace(config, origins=dict(notes.origins)), tuple(problems))


def _config(top: Table, root: Path, environ: Mapping[str, str], runner: Runner | None) -> Config:
    name = top.parsed("project", read.project, _project(root))
    prefix = top.parsed("registry", read.registry, "")
    found = discover.compose_files(root, environ)
    build = read.read_build(top.table("build"))
    if "build.ca-bundle" not in top.notes.origins and environ.get("SSL_CERT_FILE"):
        top.notes.origins["build.ca-bundle"] = "SSL_CERT_FILE"
        build = replace(build, ca_bundle=environ["SSL_CERT_FILE"])
    if not top.has("services"):
        top.notes.origins["services"] = FOUND
    services = {key: read.read_service(key, table) for key, table in top.named("services").items()}
    stacks = {key: read_stack(key, t, found) for key, t in top.named("stacks").items()}
    if not stacks and found and not top.has("stacks"):
        stacks = {"default": Stack("default", found)}
    for stack in stacks.values():
        top.notes.origins.setdefault(f"stacks.{stack.name}.files", FOUND)
    # An environment that names no stack runs the only one, whatever its name is.
    usual = next(iter(stacks)) if len(stacks) == 1 else "default"
    environments = top.named("environments").items()
    return Config(
        project=name,
        registry=prefix,
        platforms=top.each("platforms", Platform.parse),
        services=services
        if top.has("services")
        else Lazy(
            lambda: discover.services(root, environ, name, found, registry=prefix, runner=runner)
        ),
        stacks=stacks,
        environments={key: read.read_environment(key, t, usual) for key, t in environments},
        secrets=read.read_secrets(top.table("secrets")),
        build=build,
        push=read.read_push(top.table("push")),
        signing=read.read_signing(top.table("signing")),
        tags=read_tags(top),
        tags_flavor=read_flavor(top) or TagFlavor(),
        labels=read.read_labels(top),
        builders={key: read.read_builder(key, t) for key, t in top.named("builders").items()},
        history=read.read_history(top.table("history")),
        hooks=read.read_hooks(top.table("hooks")),
    )


def _project(root: Path) -> str:
    """Return the folder's name as Compose would make a project's name of it."""
    return re.sub(r"[^a-z0-9_-]", "", root.name.lower()).lstrip("_-") or "project"


def _place(raw: object, path: str) -> list[int]:
    """Return where a key stands in the file, so that problems are told in the file's order."""
    place = []
    for word in re.findall(r'"[^"]*"|[^.\[\]]+', path):
        if isinstance(raw, list) and word.isdecimal() and int(word) < len(raw):
            place.append(int(word))
            raw = raw[int(word)]
        elif isinstance(raw, Mapping):
            keys = list(raw)
            key = word.strip('"')
            place.append(keys.index(key) if key in keys else len(keys))
            raw = raw.get(key)
    return place


def _check_references(config: Config, top: Table) -> None:
    """Note names that name nothing; a default that names nothing is no mistake of the file."""
    for environment in config.environments.values():
        key = f"environments.{environment.name}.stack"
        if key in top.notes.origins:
            _check(top, key, "stack", environment.stack, config.stacks)
    _check_contexts(config, top)
    for stack in config.stacks.values():
        key = f"stacks.{stack.name}.environment"
        if key in top.notes.origins:
            _check(top, key, "environment", stack.environment, config.environments)


def _check_contexts(config: Config, top: Table) -> None:
    # Found services are not looked at here: to find them takes longer than all of this.
    for service in config.services.values() if top.has("services") else ():
        for name, value in service.contexts.items():
            kind, colon, sibling = value.partition(":")
            if kind == "service" and colon:
                key = key_path(f"services.{service.name}.contexts", name)
                _check(top, key, "service", sibling, config.services)


def _check(top: Table, key: str, kind: str, given: str, known: Iterable[str]) -> None:
    names = sorted(known)
    if given not in names:
        near = suggestion(given, names) or f" (known: {', '.join(names) or 'none'})"
        top.notes.problem(key, f'unknown {kind} "{given}"{near}')
