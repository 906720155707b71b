"""The targets of a repository's bake file, as services.

Bake itself resolves files, overrides, variables, groups, inheritance and matrices: `bake --print`
says what `docker buildx bake` would build here. Its answer is kept while nothing can change it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hullwright.config.models import Service
from hullwright.config.problems import ConfigurationError, Problem
from hullwright.config.read import is_own_label
from hullwright.errors import UnavailableError, UsageError
from hullwright.files import write_atomic
from hullwright.images import Platform, Reference
from hullwright.tools.buildx import BAKE_FILES, BAKE_PRINT, literal_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hullwright.run import Result, Runner

_Target = dict[str, Any]
# Sources that are no folder: a Git or web address, standard input, another target's result.
_REMOTE: Final = re.compile(r"[a-z][a-z+.-]*://|git@|github\.com/|target:|-$")
_VARIABLE: Final = re.compile(r"""variable["']?\s*[:{]?\s*["']?(?P<name>\w+)""")
_MOVING: Final = re.compile(r"\b(?:timestamp|uuid\w*|homedir)\s*\(")
# What Hullwright says of a target itself, or has no use for.
_MODELLED: Final = frozenset(
    {
        *("context", "dockerfile", "target", "args", "labels", "platforms", "contexts", "tags"),
        *("secret", "ssh", "output", "attest", "dockerfile-inline", "call", "name", "matrix"),
        *("inherits", "description"),
    }
)
_NO_IMAGE: Final = frozenset({"local", "tar", "cacheonly"})
_FORMAT: Final = 1


def bake_files(root: Path, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the bake files that `docker buildx bake` takes at `root` without `--file`."""
    named = environ.get("BUILDX_BAKE_FILE")
    if named:
        separator = environ.get("BUILDX_BAKE_FILE_SEPARATOR") or os.pathsep
        return tuple(name for name in named.split(separator) if name)
    return tuple(name for name in BAKE_FILES if (root / name).is_file())


def services(
    root: Path,
    files: Sequence[str],
    runner: Runner,
    registry: str = "",
    others: Sequence[str] = (),
) -> dict[str, Service]:
    """Return the targets of the default group, and what they are linked to, as services.

    What is outside of the group, and there for the link only, is a helper: bake exports it not.
    A target with a remote context or an inline Dockerfile is left to bake, and so is one that
    makes no image, unless another one is built on it.

    Args:
        root: the repository.
        files: what `bake_files` found.
        runner: asks bake.
        registry: the configuration's, which is left out of the names of images.
        others: compose files that bake reads with them.

    Raises:
        ConfigurationError: bake does not understand them; in its own words.
        UnavailableError: buildx is missing.
    """
    targets, default = _targets(_printed(root, files, runner, others))
    linked = {name for target in targets.values() for name in _links(target)}
    kept = {
        name: target
        for name, target in targets.items()
        if _local(target) and (name in linked or _makes_image(target))
    }
    repositories = _repositories(kept, registry)
    # Without a group, or for a target that is left to bake, nothing tells what is asked for.
    helpers = {name for target in kept.values() for name in _links(target)} - default
    found = {
        name: _service(root, name, target, repositories[name], runner.environ)
        for name, target in kept.items()
    }
    return {
        name: replace(service, helper=bool(default) and name in helpers)
        for name, service in found.items()
    }


def _printed(root: Path, files: Sequence[str], runner: Runner, others: Sequence[str]) -> str:
    state = root / ".hullwright"
    key = _key(root, files, runner.environ) if not others and state.is_dir() else ""
    kept = state / "bake-file.json"
    if key and kept.is_file():
        try:
            known = json.loads(kept.read_text(encoding="utf-8"))
            if known["key"] == key:
                return str(known["printed"])
        except (OSError, ValueError, KeyError, TypeError):
            pass  # half a file, or another one's: it is written anew
    result = runner.read(*BAKE_PRINT, cwd=root, check=False)
    if not result.ok:
        raise _refused(result, files)
    if key:
        write_atomic(kept, json.dumps({"key": key, "printed": result.stdout}))
    return result.stdout


def _key(root: Path, files: Sequence[str], environ: Mapping[str, str]) -> str:
    """Return what bake's answer hangs on; empty where it hangs on more than these files.

    Where a variable of the file is set outside of it, the answer may hold the value of a secret,
    and is not kept on disk.
    """
    texts = [(root / file).read_bytes() for file in files if (root / file).is_file()]
    told = b"\n".join(texts).decode(errors="replace")
    names = {match["name"] for match in _VARIABLE.finditer(told)} | _json_variables(texts)
    agents = "secret" in told or "ssh" in told
    if agents or _MOVING.search(told) or any(name in environ for name in names):
        return ""
    digest = hashlib.sha256(f"{_FORMAT}\0{root}\0".encode())
    for file, text in zip(files, texts, strict=False):
        digest.update(f"{file}\0{len(text)}\0".encode() + text)
    return digest.hexdigest()


def _json_variables(texts: Sequence[bytes]) -> set[str]:
    names: set[str] = set()
    for text in texts:
        try:
            document = json.loads(text)
        except ValueError:
            continue
        variables = document.get("variable") if isinstance(document, dict) else None
        names |= set(variables) if isinstance(variables, dict) else set()
    return names


def _refused(result: Result, files: Sequence[str]) -> Exception:
    said = [line for line in result.stderr.splitlines() if line.strip() and line[0] != "#"]
    told = "\n".join(said).strip()
    if re.search(r"is not a docker command|unknown command|unknown (?:shorthand )?flag", told):
        return UnavailableError(
            f"{files[0]} needs docker buildx, which is missing or too old",
            why=told.partition("\n")[0],
            next_step="invoke setup   (says which version is needed)",
        )
    words = re.sub(r"^ERROR: ", "", told, flags=re.MULTILINE)
    if "failed to find target default" in words:
        words += '; name what is built: group "default" { targets = ["NAME"] }'
    return ConfigurationError((Problem("", words or "bake refuses it", files[-1]),))


def _targets(printed: str) -> tuple[dict[str, _Target], frozenset[str]]:
    """Return the printed targets, those of the default group first, and the names of these."""
    document: dict[str, Any] = json.loads(printed)
    groups, targets = document.get("group") or {}, document.get("target") or {}

    def members(name: str, above: frozenset[str]) -> Iterator[str]:
        if name in groups and name not in above:
            for inner in groups[name].get("targets") or ():
                yield from members(inner, above | {name})
        elif name in targets:
            yield name

    default = tuple(members("default", frozenset()))
    ordered = dict.fromkeys((*default, *targets))
    return {name: targets[name] for name in ordered}, frozenset(default)


def _links(target: _Target) -> Iterator[str]:
    for value in (target.get("contexts") or {}).values():
        if value.startswith("target:"):
            yield value.removeprefix("target:")


def _local(target: _Target) -> bool:
    return "dockerfile-inline" not in target and not _REMOTE.match(target.get("context") or ".")


def _makes_image(target: _Target) -> bool:
    outputs = target.get("output") or ()
    return not outputs or any(output.get("type") not in _NO_IMAGE for output in outputs)


def _repositories(targets: Mapping[str, _Target], registry: str) -> dict[str, str]:
    """Return the repository of each target's image.

    Targets that differ by their tags only, as those of a matrix do, get one of their own name
    beside it: here a tag is the version.
    """
    own = {
        name: _repository(target.get("tags") or (), registry) for name, target in targets.items()
    }
    wanted = list(own.values())
    found = {}
    for name, repository in own.items():
        shared = repository and wanted.count(repository) > 1
        folder = repository.rpartition("/")[0]
        beside = f"{folder}/{name.lower()}" if folder else name.lower()
        found[name] = beside if shared else repository or name.lower()
    return found


def _repository(tags: Sequence[str], registry: str) -> str:
    for tag in tags:
        try:
            return without_registry(Reference.parse(literal_of(tag)), registry)
        except UsageError:
            continue
    return ""


def without_registry(reference: Reference, registry: str) -> str:
    """Return the repository of an image of ours without the registry that is put before it."""
    repository = reference.repository
    if not registry:
        return repository
    if repository.startswith(f"{registry}/"):
        return repository.removeprefix(f"{registry}/")
    return reference.path.removeprefix("library/")


def _service(
    root: Path, name: str, target: _Target, repository: str, environ: Mapping[str, str]
) -> Service:
    context = literal_of(target.get("context") or ".")
    dockerfile = Path(os.path.normpath(Path(context, literal_of(target.get("dockerfile") or ""))))
    if not target.get("dockerfile"):
        dockerfile /= "Dockerfile"
    stage = target.get("target") or ""
    labels = _texts(target.get("labels") or {}, {})
    return Service(
        name,
        context=_relative(root, context),
        dockerfile=_relative(root, str(dockerfile)),
        targets=(stage,) if stage else (),
        image=repository,
        platforms=tuple(Platform.parse(text) for text in target.get("platforms") or ()),
        build_args=_texts(target.get("args") or {}, environ),
        secrets=dict(_secret(entry, environ) for entry in target.get("secret") or ()),
        ssh=tuple(_agent(entry) for entry in target.get("ssh") or ()),
        contexts=_contexts(target.get("contexts") or {}),
        extra={key: value for key, value in target.items() if key not in _MODELLED},
        labels={key: value for key, value in labels.items() if not is_own_label(key)},
    )


def _relative(root: Path, path: str) -> str:
    relative = os.path.relpath(root / path, root) if Path(path).is_absolute() else path
    return Path(os.path.normpath(relative)).as_posix()


def _texts(values: Mapping[str, str | None], environ: Mapping[str, str]) -> dict[str, str]:
    # An argument without a value has that of the environment, if there is any.
    taken = {key: environ.get(key) if value is None else value for key, value in values.items()}
    return {
        key: literal_of(value) if values[key] is not None else value
        for key, value in taken.items()
        if value is not None
    }


def _contexts(contexts: Mapping[str, str]) -> dict[str, str]:
    return {
        name: f"service:{value.removeprefix('target:')}"
        if value.startswith("target:")
        else literal_of(value)
        for name, value in contexts.items()
    }


def _secret(entry: Mapping[str, str], environ: Mapping[str, str]) -> tuple[str, str]:
    name = entry["id"]
    if entry.get("env"):
        return name, f"env:{entry['env']}"
    if entry.get("src"):
        return name, f"file:{literal_of(entry['src'])}"
    return name, f"env:{name}" if name in environ else f"file:{name}"


def _agent(entry: Mapping[str, Any]) -> str:
    paths = ",".join(literal_of(path) for path in entry.get("paths") or ())
    return f"{entry['id']}={paths}" if paths else str(entry["id"])
