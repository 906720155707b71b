"""Parts of a release in registries: found by name, joined, or missed with what to do about it."""

from __future__ import annotations

import pytest

from hullwright.errors import CheckFailedError, UnavailableError
from hullwright.push.parts import WantedImage, WantedPart, joined, look_for, refuse_missing
from pushing import Memory

from .conftest import API, HOST

PRINTS = {"linux/amd64": "a" * 64, "linux/arm64": "b" * 64, "": "c" * 64}
VERSION = "1.4.1"
OCI = "org.opencontainers.image."


def wanted(platform: str, service: str = "api") -> WantedPart:
    """Return a part, or the whole image where no platform is named."""
    return WantedPart(service, "production", API, platform, PRINTS[platform], VERSION)


def wanted_image() -> WantedImage:
    """Return an image of two platforms."""
    return WantedImage(wanted(""), (wanted("linux/amd64"), wanted("linux/arm64")))


def store(memory: Memory, platform: str, *, version: str = VERSION, of: str = "") -> str:
    """Store a part under its name, and return its digest; `of` is another fingerprint."""
    fingerprint = of or PRINTS[platform]
    labels = {
        "dev.hullwright.fingerprint": fingerprint,
        "dev.hullwright.service": "api",
        "dev.hullwright.target": "production",
        f"{OCI}version": version,
        f"{OCI}revision": "d" * 40,
    }
    name = WantedPart("api", "production", API, platform, fingerprint, version).tag
    arch = platform.partition("/")[2]
    return memory.image("team/api", name, labels=labels, architecture=arch)


def missed(memory: Memory, *images: WantedImage, flags: tuple[str, ...] = ()) -> str:
    """Return what is said of missing parts."""
    clients = {HOST: memory}
    found = look_for(clients, images)
    listed = memory.named("team/api")
    with pytest.raises(CheckFailedError) as raised:
        refuse_missing(clients, found, lambda _: tuple(listed), flags)
    return str(raised.value)


def test_parts_are_found_by_their_names_and_joined(memory: Memory) -> None:
    amd, arm = store(memory, "linux/amd64"), store(memory, "linux/arm64")
    clients = {HOST: memory}
    (found,) = look_for(clients, [wanted_image()])
    assert [part.digest for part in found.parts] == [amd, arm]
    assert not found.missing
    refuse_missing(clients, [found], lambda _: ())
    (digest,) = joined(clients, [found])
    index = memory.manifests["team/api", digest].document()
    assert [entry["digest"] for entry in index["manifests"]] == [amd, arm]
    assert index["annotations"]["dev.hullwright.fingerprint"] == PRINTS[""]
    assert index["annotations"][f"{OCI}version"] == VERSION


def test_what_one_runner_pushed_as_a_whole_is_taken_as_it_is(memory: Memory) -> None:
    digest = memory.add("team/api", "whole", wanted("").tag)
    (found,) = look_for({HOST: memory}, [wanted_image()])
    assert (found.digest, found.missing) == (digest, ())
    assert joined({HOST: memory}, [found]) == (digest,)
    assert memory.puts == []


def test_names_of_all_parts_go_with_the_image() -> None:
    tags = wanted_image().tags
    assert len(set(tags)) == 3
    assert {tag[len("hullwright-")] for tag in tags} == {"a", "b", "c"}


def test_a_missing_part_is_named_with_the_command_that_makes_it(memory: Memory) -> None:
    store(memory, "linux/amd64")
    other = WantedImage(
        wanted("", "web"), (wanted("linux/amd64", "web"), wanted("linux/arm64", "web"))
    )
    told = missed(memory, wanted_image(), other, flags=("--target", "production"))
    assert "2 parts are not in the registry, so no tag was changed" in told
    assert "api production linux/arm64  no part of 1.4.1" in told
    command = "invoke push --part --platform linux/arm64 --service api,web --target production"
    assert command in told


def test_an_image_of_one_platform_has_one_part(memory: Memory) -> None:
    told = missed(memory, WantedImage(wanted("")))
    assert "1 part is not in the registry" in told
    assert told.endswith("invoke push --part --service api")


def test_a_part_of_another_version_is_told_of(memory: Memory) -> None:
    store(memory, "linux/amd64")
    store(memory, "linux/arm64", version="1.4.1+dirty.abc")
    told = missed(memory, wanted_image())
    assert "no part of 1.4.1; one of these inputs is there, which says 1.4.1+dirty.abc" in told


def test_a_part_of_other_inputs_is_told_of_with_what_helps(memory: Memory) -> None:
    store(memory, "linux/amd64")
    store(memory, "linux/arm64", of="e" * 64)
    told = missed(memory, wanted_image())
    assert "one of this version is there, of other inputs" in told
    assert "invoke images --lock" in told


def test_a_registry_that_lists_nothing_is_no_reason_to_say_nothing(memory: Memory) -> None:
    def listed(repository: str) -> tuple[str, ...]:
        raise UnavailableError(f"no tags of {repository}")

    with pytest.raises(CheckFailedError, match="1 part is not in the registry"):
        refuse_missing({HOST: memory}, [WantedImage(wanted(""))], listed)
