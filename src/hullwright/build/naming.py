"""What the image of a service is called, and what it says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.build.labelling import base_labels, image_labels
from hullwright.build.linking import Source
from hullwright.images import Reference
from hullwright.tools.dockerfile import read
from hullwright.tools.lineage import base_image, written_labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.build.models import SourceVersion
    from hullwright.config.models import Config, Service
    from hullwright.workspace import Workspace


def reference_of(config: Config, service: Service, stage: str, image_tag: str) -> str:
    """Return `[registry/]image:tag`, with `-stage` for another stage than the default one.

    Raises:
        UsageError: the parts do not make an image reference.
    """
    suffix = "" if stage == service.default_target else f"-{stage}"
    prefix = f"{config.registry}/" if config.registry else ""
    reference = f"{prefix}{service.image or service.name.lower()}:{image_tag}{suffix}"
    Reference.parse(reference)
    return reference


def labels_of(
    ws: Workspace, service: Service, version: SourceVersion, target: str = ""
) -> dict[str, str]:
    """Return the labels that a build gives a service's image, the base's digest left out.

    That one needs an engine, and belongs to a build: it may be another one by then. A service
    that cannot be built yet has the labels that need no Dockerfile.
    """
    stage = target or service.default_target
    file = ws.root / service.dockerfile
    dockerfile = read(file) if file.is_file() else None
    if dockerfile is None or (stage and stage not in dockerfile.stages):
        return image_labels(ws, service, version, stage=stage, written={}, base={})
    source = Source(service, dockerfile, service.build_args)
    return labels_with(ws, source, version, stage=stage, base_digests={})


def labels_with(
    ws: Workspace,
    source: Source,
    version: SourceVersion,
    *,
    stage: str,
    base_digests: Mapping[str, str],
) -> dict[str, str]:
    """Return the labels of an image whose base is known by one of these digests, or by none."""
    base = base_image(source.dockerfile, stage, source.arguments)
    return image_labels(
        ws,
        source.service,
        version,
        stage=stage,
        written=written_labels(source.dockerfile, stage, source.arguments),
        base=base_labels(base, base_digests),
    )
