"""What a registry has already, by the fingerprint of its inputs."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from answering import INDEX, Talk, digest, made, refusal, sent, talk
from hullwright.build import fingerprint
from hullwright.errors import UnavailableError
from hullwright.images import TAG
from hullwright.prune.plan import STAGING_TAG
from hullwright.tools.published import (
    FINGERPRINT,
    Published,
    Wanted,
    find,
    lookup,
    part_tag,
    read,
    staging_tag,
)
from hullwright.tools.registryhttp import Answer, UnheardError
from replaying import workspace

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.tools.registryclient import Manifest, RegistryClient
    from hullwright.workspace import Workspace

HOST = "registry.example.com"
REPOSITORY = f"{HOST}/team/app"
PRINT = "f" * 64
SAID = {
    FINGERPRINT: PRINT,
    "org.opencontainers.image.version": "1.4.1",
    "org.opencontainers.image.revision": "a" * 40,
}
ATTESTATION = {
    "digest": digest(b"attestation"),
    "platform": {"os": "unknown", "architecture": "unknown"},
    "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
}


def entry(manifest: Manifest, **platform: str) -> dict[str, Any]:
    return {"digest": manifest.digest, "platform": {"os": "linux", **platform}}


def image(config: bytes, **more: Any) -> Manifest:
    return made(config={"digest": digest(config), "size": len(config)}, layers=[], **more)


def configuration(labels: dict[str, str] | None, architecture: str = "amd64") -> bytes:
    told = {"os": "linux", "architecture": architecture, "config": {"Labels": labels}}
    return json.dumps(told).encode()


def test_a_part_waits_under_a_name_of_its_inputs_and_its_version() -> None:
    names = {part_tag(PRINT, version) for version in ("1.4.1", "1.4.2-0.dev.1+g1a2b3c4")}
    assert len(names) == 2
    assert all(TAG.fullmatch(name) and STAGING_TAG.fullmatch(name) for name in names)
    assert {name[: len(staging_tag(PRINT))] for name in names} == {staging_tag(PRINT)}
    assert part_tag(PRINT, "1.4.1") in names


def test_an_index_answers_with_its_annotations_alone() -> None:
    one, other = made(n=1), made(n=2)
    index = made(
        INDEX,
        annotations=SAID,
        manifests=[
            entry(one, architecture="amd64"),
            entry(other, architecture="arm64", variant="v8"),
            ATTESTATION,
        ],
    )
    assert read(talk(sent(index)).client, REPOSITORY, "1") == Published(
        repository=REPOSITORY,
        tag="1",
        digest=index.digest,
        media_type=INDEX,
        version="1.4.1",
        revision="a" * 40,
        fingerprint=PRINT,
        platforms=("linux/amd64", "linux/arm64"),
        attested=True,
    )


def test_a_single_image_is_read_from_its_configuration() -> None:
    config = configuration(SAID)
    manifest = image(config)
    found = read(talk(sent(manifest), Answer(200, {}, config)).client, REPOSITORY, "1")
    assert found is not None
    assert (found.digest, found.fingerprint, found.version) == (manifest.digest, PRINT, "1.4.1")
    assert (found.platforms, found.attested) == (("linux/amd64",), False)


def test_an_index_without_annotations_is_read_from_its_first_image() -> None:
    config = configuration({**SAID, FINGERPRINT: "0" * 64})
    # The manifest's own annotation is nearer than the label.
    manifest = image(config, annotations={FINGERPRINT: PRINT})
    index = made(INDEX, manifests=[ATTESTATION, entry(manifest, architecture="arm64")])
    talked = talk(sent(index), sent(manifest), Answer(200, {}, config))
    found = read(talked.client, REPOSITORY, "1")
    assert found is not None
    assert (found.digest, found.fingerprint, found.version) == (index.digest, PRINT, "1.4.1")
    assert (found.platforms, found.attested) == (("linux/arm64",), True)
    assert talked.transport.asked[1].endswith(manifest.digest)


@pytest.mark.parametrize("config", [configuration(None), b"[]", b"no JSON"])
def test_what_says_nothing_has_no_fingerprint(config: bytes) -> None:
    found = read(talk(sent(image(config)), Answer(200, {}, config)).client, REPOSITORY, "1")
    assert found is not None
    assert (found.fingerprint, found.version) == ("", "")


def test_an_index_of_nothing_is_read_too() -> None:
    found = read(talk(sent(made(INDEX, manifests=[]))).client, REPOSITORY, "1")
    assert found is not None
    assert found.platforms == ()


def test_the_first_tag_of_these_inputs_is_taken() -> None:
    other = made(INDEX, annotations={**SAID, FINGERPRINT: "0" * 64}, manifests=[ATTESTATION])
    right = made(INDEX, annotations=SAID, manifests=[entry(other, architecture="amd64")])
    config = configuration({})
    first = image(config)
    index = made(INDEX, annotations={}, manifests=[entry(first, architecture="amd64")])
    talked = talk(
        refusal(404, "MANIFEST_UNKNOWN"),
        *(sent(index), sent(first), Answer(200, {}, config)),
        sent(right),
    )
    found = find(talked.client, REPOSITORY, ("gone", "old", "new", "never-asked"), PRINT)
    assert found is not None
    assert (found.tag, found.digest) == ("new", right.digest)


def test_another_version_of_these_inputs_is_passed_over_where_one_is_named() -> None:
    name = "org.opencontainers.image.version"
    entries = [entry(made(), architecture="amd64")]
    later = made(INDEX, annotations={**SAID, name: "1.5.0"}, manifests=entries)
    right = made(INDEX, annotations=SAID, manifests=entries)
    talked = talk(sent(later), sent(right))
    found = find(talked.client, REPOSITORY, ("staging", "v1.4.1"), PRINT, "1.4.1")
    assert found is not None
    assert (found.tag, found.digest) == ("v1.4.1", right.digest)


def test_what_is_not_accepted_hides_nothing_under_the_next_tag() -> None:
    name = "org.opencontainers.image.version"
    entries = [entry(made(), architecture="amd64")]
    dirty = made(INDEX, annotations={**SAID, name: "1.4.1+g1.dirty.2"}, manifests=entries)
    right = made(INDEX, annotations=SAID, manifests=entries)

    def clean(found: Published) -> bool:
        return "dirty" not in found.version

    found = find(
        talk(sent(dirty), sent(right)).client, REPOSITORY, ("staging", "main"), PRINT, accepts=clean
    )
    assert found is not None
    assert (found.tag, found.digest) == ("main", right.digest)
    assert find(talk(sent(dirty)).client, REPOSITORY, ("staging",), PRINT, accepts=clean) is None


def test_nothing_is_found_where_nothing_is() -> None:
    assert find(talk(refusal(404, "NAME_UNKNOWN")).client, REPOSITORY, ("1",), PRINT) is None


def test_a_staging_tag_is_a_tag_of_the_fingerprint() -> None:
    assert staging_tag("0123456789abcdef" * 4) == "hullwright-0123456789abcdef0123456789abcdef"


def looked_up(
    folder: Path, clients: dict[str, Talk | Exception], *wanted: Wanted
) -> tuple[dict[str, str], str]:
    """Return the digests that were found, and what the console was told."""

    def connected(_: Workspace, domain: str) -> RegistryClient:
        found = clients[domain]
        if isinstance(found, Exception):
            raise found
        return found.client

    ws = workspace(folder)
    found = lookup(ws, connected)(wanted)
    assert isinstance(ws.console.err, io.StringIO)
    return {name: each.digest for name, each in found.items()}, ws.console.err.getvalue()


def test_all_registries_are_looked_in(tmp_path: Path) -> None:
    index = made(INDEX, annotations=SAID, manifests=[entry(made(), architecture="amd64")])
    other = "other.example.com"
    clients: dict[str, Talk | Exception] = {
        HOST: talk(sent(index)),
        other: talk(refusal(404, "NAME_UNKNOWN"), domain=other),
    }
    wanted = (Wanted(REPOSITORY, ("1",), PRINT), Wanted(f"{other}/b", ("1",), "0" * 64))
    assert looked_up(tmp_path, clients, *wanted) == ({PRINT: index.digest}, "")


def test_a_registry_that_cannot_answer_is_told_of_once(tmp_path: Path) -> None:
    nobody = UnheardError("unreachable", "Connection refused")
    other = "other.example.com"
    clients: dict[str, Talk | Exception] = {
        HOST: talk(nobody, nobody, nobody),
        other: UnavailableError("docker-credential-x is not on PATH"),
    }
    wanted = [Wanted(f"{HOST}/{n}", ("1",), f"{n}") for n in range(3)]
    found, told = looked_up(tmp_path, clients, *wanted, Wanted(f"{other}/b", ("1",), PRINT))
    assert not found
    assert sorted(told.splitlines()) == [
        "! not looked for in other.example.com: docker-credential-x is not on PATH",
        "! not looked for in registry.example.com: registry.example.com cannot be reached",
    ]


def test_builds_and_registries_mean_the_same_label() -> None:
    assert fingerprint.LABEL == FINGERPRINT
