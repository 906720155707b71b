"""What a pull takes of a moving tag of another commit, and what it says where all is here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import pytest

from hullwright.errors import CheckFailedError
from hullwright.push import pulling
from hullwright.push.pulling import Pulled, PulledImage, Wanted
from hullwright.report import release as report
from pushing import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hullwright.tools.registryclient import RegistryClient

HOST: Final = "registry.example.com"
API: Final = f"{HOST}/shop/api"
NOW: Final = "f" * 64


class Client:
    """What stands for the client of a registry in memory."""

    def __init__(self, memory: Memory) -> None:
        """Answer from what the memory holds."""
        self.manifest, self.blob, self.tags = memory.manifest, memory.blob, memory.named


def found(
    *tags: str, fingerprint: str, prints: Callable[[], Mapping[tuple[str, str], str]] | None
) -> Wanted:
    """Return what is taken for 1.1.0 where an image of 1.0.0 is under these tags."""
    memory = Memory()
    labels = {
        "org.opencontainers.image.version": "1.0.0",
        "org.opencontainers.image.revision": "b" * 40,
        "dev.hullwright.fingerprint": fingerprint,
    }
    memory.image("shop/api", *tags, labels=labels)
    wanted = Wanted(
        "api", "", f"{API}:1.1.0", version="1.1.0", revision="a" * 40, moving=(f"{API}:main",)
    )
    clients = {HOST: cast("RegistryClient", Client(memory))}
    (image,) = pulling.looked_up(clients, [wanted], prints)
    return image


def test_what_a_push_found_current_is_taken_under_its_older_version() -> None:
    image = found("main", fingerprint=NOW, prints=lambda: {("api", ""): NOW})
    assert image.reference == f"{API}:main"
    assert image.digest.startswith("sha256:")


@pytest.mark.parametrize("prints", [{}, {("api", ""): "e" * 64}, {("web", ""): NOW}])
def test_an_image_of_other_inputs_is_not_taken(prints: dict[tuple[str, str], str]) -> None:
    with pytest.raises(CheckFailedError, match=r"its main is of 1\.0\.0"):
        found("main", fingerprint=NOW, prints=lambda: prints)


def test_images_without_a_fingerprint_are_not_the_same() -> None:
    with pytest.raises(CheckFailedError):
        found("main", fingerprint="", prints=lambda: {("api", ""): ""})


def test_inputs_are_not_read_where_the_version_has_its_tag() -> None:
    def never() -> Mapping[tuple[str, str], str]:
        pytest.fail("the inputs were read")

    assert found("1.1.0", "main", fingerprint=NOW, prints=never).reference == f"{API}:1.1.0"


@pytest.mark.parametrize(("count", "here"), [(1, "1 image is"), (3, "3 images are")])
def test_that_nothing_is_fetched_is_said_once(count: int, here: str) -> None:
    wanted = Wanted("api", "", f"{API}:1.1.0", f"sha256:{'1' * 64}", present=True)
    images = (PulledImage(wanted, "present", 0.0, "1.1.0", "", "", ("linux/amd64",)),) * count
    first, *rest = report.text(Pulled("1.1.0", images)).splitlines()
    assert first == f"nothing to pull: {here} here · 1.1.0"
    assert not any("nothing" in line or "pulled" in line for line in rest)
