"""What python-on-whales gives, without a process: its own models, from what docker would say."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from python_on_whales import SystemInfo
from python_on_whales.components.container.models import ContainerInspectResult
from python_on_whales.components.image.models import ImageInspectResult
from python_on_whales.components.network.models import NetworkInspectResult
from python_on_whales.exceptions import DockerException, NoSuchImage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pytest

Raw = dict[str, Any]


@dataclass
class Engine:
    """What an engine has, each as `docker … inspect` would show it.

    Attributes:
        images: by their references.
        gone: names of networks that are removed between their listing and their inspection.
        failure: what docker says instead of an answer.
        asked: the filters of each listing, and the references that were looked up.
    """

    containers: Sequence[Raw] = ()
    networks: Sequence[Raw] = ()
    volumes: Sequence[str] = ()
    images: Mapping[str, Raw] = field(default_factory=dict)
    info: Raw = field(default_factory=dict)
    gone: tuple[str, ...] = ()
    failure: str = ""
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def client(self, *_: object) -> SimpleNamespace:
        """Return what stands in for a `DockerClient`."""
        return SimpleNamespace(
            container=SimpleNamespace(list=self._containers),
            network=SimpleNamespace(list=self._networks),
            volume=SimpleNamespace(list=self._volumes),
            image=SimpleNamespace(inspect=self._image),
            system=SimpleNamespace(info=lambda: SystemInfo(**self._answered(self.info))),
        )

    def serve(self, patch: pytest.MonkeyPatch) -> None:
        """Be the engine that the package looks at."""
        patch.setattr("hullwright.tools.whales.client", self.client)

    def _answered(self, answer: Any, *asked: str) -> Any:
        self.asked.append(asked)
        if self.failure:
            raise DockerException(["/usr/bin/docker", "x"], 1, b"", self.failure.encode())
        return answer

    def _containers(
        self, *, filters: list[tuple[str, str]], **also: bool
    ) -> list[ContainerInspectResult]:
        raws = self._answered(self.containers, "container", *(value for _, value in filters))
        assert also == {"all": True}
        return [ContainerInspectResult(**raw) for raw in raws]

    def _networks(self, *, filters: list[tuple[str, str]]) -> list[object]:
        raws = self._answered(self.networks, "network", *(value for _, value in filters))
        return [
            _Gone() if raw["Name"] in self.gone else NetworkInspectResult(**raw) for raw in raws
        ]

    def _volumes(self, *, filters: list[tuple[str, str]]) -> list[SimpleNamespace]:
        names = self._answered(self.volumes, "volume", *(value for _, value in filters))
        return [SimpleNamespace(name=name) for name in names]

    def _image(self, reference: str) -> ImageInspectResult:
        raw = self._answered(self.images.get(reference), "image", reference)
        if raw is None:
            raise NoSuchImage(["docker"], 1, b"[]", b"No such image")
        return ImageInspectResult(**raw)


class _Gone:
    """A network that somebody removed just now."""

    @property
    def name(self) -> str:
        from python_on_whales.exceptions import NoSuchNetwork

        raise NoSuchNetwork(["docker"], 1, b"[]", b"network not found")
