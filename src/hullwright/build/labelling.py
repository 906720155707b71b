"""What an image says of itself: labels of its configuration, annotations of manifest and index.

The names are of https://specs.opencontainers.org/image-spec/annotations/. What is not known is left
out: an empty label would hide the one of the base image's maker only to say nothing.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from hullwright.config.read import FROM_GIT, OWN_LABELS
from hullwright.errors import UsageError
from hullwright.images import Reference

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hullwright.build.models import SourceVersion
    from hullwright.config.models import Service
    from hullwright.workspace import Workspace

OCI: Final = "org.opencontainers.image."


def source_labels(ws: Workspace, version: SourceVersion) -> dict[str, str]:
    """Return the labels that follow from the repository alone, whichever image they are for."""
    description, licenses = _about(ws.root)
    return _known(
        {
            f"{OCI}title": ws.config.project,
            f"{OCI}description": description,
            f"{OCI}url": version.source,
            f"{OCI}source": version.source,
            f"{OCI}licenses": licenses,
            **ws.config.labels,
            f"{OCI}version": version.version,
            f"{OCI}revision": version.revision,
            f"{OCI}created": version.created,
        }
    )


def image_labels(
    ws: Workspace,
    service: Service,
    version: SourceVersion,
    *,
    stage: str,
    written: Mapping[str, str | None],
    base: Mapping[str, str],
) -> dict[str, str]:
    """Return the labels of a service's image.

    What Git says stands above all. Of the rest the nearest word counts: the service's `labels`,
    the configuration's, the Dockerfile's own, at last what the repository says.

    Args:
        ws: the repository.
        service: what is built.
        version: what its sources are called.
        stage: of its Dockerfile.
        written: the Dockerfile's own labels; None is a value that only the build knows.
        base: name and digest of the base image, as `base_labels` gives them.
    """
    labels = source_labels(ws, version) | {f"{OCI}title": service.name} | dict(base)
    settled = {*FROM_GIT, *base}
    # Where the Dockerfile's value has variables, nothing said is the Dockerfile's value kept.
    own = {k: v or "" for k, v in written.items() if k in labels and k not in settled}
    return _known(
        {
            **labels,
            **own,
            **ws.config.labels,
            **service.labels,
            f"{OWN_LABELS}project": ws.config.project,
            f"{OWN_LABELS}service": service.name,
            f"{OWN_LABELS}target": stage,
        }
    )


def base_labels(image: str, digests: Mapping[str, str]) -> dict[str, str]:
    """Return the labels that name the base image; none for an image from scratch.

    Args:
        image: as the Dockerfile names it, variables replaced.
        digests: what the local store knows these images by.
    """
    reference = base_reference(image)
    if reference is None:
        return {}
    tag = reference.tag or ("" if reference.digest else "latest")
    name = f"{reference.domain}/{reference.path}{f':{tag}' if tag else ''}"
    digest = reference.digest or digests.get(image, "")
    return _known({f"{OCI}base.name": name, f"{OCI}base.digest": digest})


def base_reference(image: str) -> Reference | None:
    """Return the reference of a base image, or None where it is none, as a build context's name."""
    try:
        return Reference.parse(image) if image else None
    except UsageError:
        return None


def as_annotations(labels: Mapping[str, str], *, index: bool) -> tuple[str, ...]:
    """Return the OCI labels as bake wants annotations, for the manifest and, if any, the index.

    The classic image store drops them (https://github.com/docker/buildx/issues/2605).

    Args:
        labels: of the image's configuration; others than OCI's are no annotations.
        index: whether there is one. BuildKit refuses annotations of an index that it does not
            write, and it writes none for a single platform without attestations.
    """
    levels = ("manifest", "index") if index else ("manifest",)
    known = [(name, value) for name, value in labels.items() if name.startswith(OCI)]
    return tuple(f"{level}:{name}={value}" for level in levels for name, value in known)


def _about(root: Path) -> tuple[str, str]:
    """Return description and licence of the Python project here; empty where there is none."""
    file = root / "pyproject.toml"
    return _about_in(file, file.stat().st_mtime_ns) if file.is_file() else ("", "")


@lru_cache(maxsize=1)
def _about_in(file: Path, _changed_ns: int) -> tuple[str, str]:
    # Every service asks, and reading the file costs milliseconds.
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # Whoever uses that file tells what is wrong with it; a label is no reason to fail.
        return "", ""
    project: Any = document.get("project")
    project = project if isinstance(project, dict) else {}
    licence = project.get("license", "")
    if isinstance(licence, dict):
        # The table of before PEP 639: its text may be the name, or the whole licence.
        licence = licence.get("text", "")
    one_line = isinstance(licence, str) and "\n" not in licence.strip()
    return str(project.get("description", "")).strip(), licence.strip() if one_line else ""


def _known(labels: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in labels.items() if value}
