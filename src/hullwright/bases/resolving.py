"""What an image is now: asked of the mirror, of its own registry, and of the local store.

Registries are asked at the same time. A registry that answers is believed, whatever it says; the
local store speaks where none does, and there a stand-in is known by its label.
"""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from hullwright.bases.lockmodels import LOCAL, Told
from hullwright.bases.models import RECIPE_LABEL, STAND_IN_LABEL
from hullwright.bases.observe import mirrored
from hullwright.bases.packages import noted
from hullwright.bases.recipes import FOLDER
from hullwright.errors import HullwrightError, UnavailableError
from hullwright.images import Platform, Reference
from hullwright.locked import LockedImage
from hullwright.tools.localstore import stored
from hullwright.tools.published import ATTESTATION
from hullwright.tools.registryclient import Patience, connect
from hullwright.tools.registryerrors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from hullwright.bases.models import Recipe
    from hullwright.bases.needs import Need
    from hullwright.tools.localstore import StoredImage
    from hullwright.tools.registryclient import Manifest, RegistryClient
    from hullwright.workspace import Workspace

_QUESTIONS: Final = 8
_CONFIG_BYTES: Final = 8 << 20
_PATIENCE: Final = Patience(attempts=3)


def resolve(
    ws: Workspace,
    needs: Iterable[Need],
    recipes: Mapping[str, Recipe],
    known: Mapping[str, LockedImage],
) -> dict[str, Told]:
    """Return what each image is now, by name.

    Args:
        ws: the repository.
        needs: the images that are asked for.
        recipes: of stand-ins, by the names that they stand for.
        known: what is locked; of an image that did not move nothing more is asked.
    """
    wanted = {need.image: need for need in needs}
    asking = _Asking(ws, known)
    with ThreadPoolExecutor(_QUESTIONS) as pool:
        told = dict(zip(wanted, pool.map(asking.told, wanted), strict=True))
    silent = [name for name, each in told.items() if each.silent]
    here = _local(ws, silent)
    for name in silent:
        image = here.get(name)
        if image is not None:
            entry = _entry(ws, wanted[name], image, recipes.get(name))
            told[name] = Told(name, entry, told[name].said, silent=True, created=_moment(image))
    return told


@dataclass
class _Asking:
    """Asks registries; used by several threads at once.

    Attributes:
        silent: registries that did not answer, with what was heard instead.
    """

    ws: Workspace
    known: Mapping[str, LockedImage]
    clients: dict[str, RegistryClient] = field(default_factory=dict)
    silent: dict[str, str] = field(default_factory=dict)
    _one: threading.Lock = field(default_factory=threading.Lock)

    def told(self, image: str) -> Told:
        """Return what the registries say of an image; the first that has it is enough."""
        said: list[tuple[str, str]] = []
        silent = True
        for reference in _places(image, self.ws.config.build.mirror):
            try:
                found = self._found(image, reference)
            except RegistryError as error:
                words = self._words(reference.domain, error)
                silent = silent and error.kind == "unreachable"
            except HullwrightError as error:
                words, silent = error.what, False
            else:
                if found is not None:
                    return found
                words, silent = "it has no such image", False
            said.append((reference.domain, words))
        return Told(image, said=tuple(said), silent=silent)

    def _words(self, domain: str, error: RegistryError) -> str:
        words = dict(error.why).get("said", "") if not isinstance(error.why, str) else error.why
        if error.kind == "unreachable":
            self.silent[domain] = words or error.what
        return words or error.what

    def _found(self, image: str, reference: Reference) -> Told | None:
        client = self._client(reference.domain)
        tag, path = reference.tag or "latest", reference.path
        described = client.describe(path, tag)
        if described is None:
            return None
        known = self.known.get(image)
        if known is not None and known.digest == described.digest:
            return Told(image, known)
        manifest = client.manifest(path, described.digest)
        if manifest is None:
            return None
        reading = _Reading(client, path, manifest)
        source = f"{reference.domain}/{path}:{tag}"
        entry = LockedImage(image, manifest.digest, reading.platforms(), source)
        return Told(image, entry, created=reading.created())

    def _client(self, domain: str) -> RegistryClient:
        with self._one:
            if domain in self.silent:
                raise RegistryError(
                    "unreachable", "it did not answer", why=[("said", self.silent[domain])],
                    next_step="",
                )  # fmt: skip
            if domain not in self.clients:
                self.clients[domain] = connect(self.ws, domain, patience=_PATIENCE)
            return self.clients[domain]


@dataclass(frozen=True)
class _Reading:
    """What a manifest or index says, and the configurations that it points at."""

    client: RegistryClient
    path: str
    manifest: Manifest

    def platforms(self) -> dict[str, str]:
        """Return the digest of each platform's manifest."""
        document = self.manifest.document()
        if "manifests" in document:
            return dict(_of_index(document))
        platform = _platform(self._config(document))
        return {platform: self.manifest.digest} if platform else {}

    def created(self) -> datetime | None:
        """Return when the image was made, of an index the image of its first platform."""
        document = self.manifest.document()
        first = next((digest for _, digest in _of_index(document)), "")
        if first:
            found = self.client.manifest(self.path, first)
            document = found.document() if found else {}
        return _time(self._config(document).get("created"))

    def _config(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        digest = _table(document.get("config")).get("digest")
        if not digest:
            return {}
        try:
            told = json.loads(self.client.blob(self.path, f"{digest}", _CONFIG_BYTES))
        except ValueError:
            return {}
        return _table(told)


def _places(image: str, mirror: str) -> Iterator[Reference]:
    prefix = mirror.rstrip("/").removeprefix("https://")
    if prefix:
        yield Reference.parse(mirrored(image, prefix))
    yield Reference.parse(image)


def _of_index(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for each in document.get("manifests") or ():
        if ATTESTATION not in _table(each.get("annotations")):
            platform = _platform(_table(each.get("platform")))
            if platform:
                yield platform, each["digest"]


def _platform(told: Mapping[str, Any]) -> str:
    parts = (told.get("os"), told.get("architecture"), told.get("variant"))
    if not (parts[0] and parts[1]) or "unknown" in parts:
        return ""
    return f"{Platform.parse('/'.join(f'{part}' for part in parts if part))}"


def _local(ws: Workspace, names: Collection[str]) -> dict[str, StoredImage]:
    """Return those of the images that the local store has; none where no engine answers."""
    try:
        found = stored(ws.runner, names)
    except UnavailableError:
        return {}
    by_tag = {f"{Reference.parse(tag)}": image for image in found for tag in image.tags}
    return {name: by_tag[name] for name in names if name in by_tag}


def _entry(
    ws: Workspace, need: Need, image: StoredImage, recipe: Recipe | None
) -> LockedImage | None:
    """Return what the local store has under a name; None where no digest is known for it."""
    name = need.image
    if image.labels.get(STAND_IN_LABEL) == name:
        digest = image.labels.get(RECIPE_LABEL, "")
        source = f"{FOLDER}/{recipe.name}" if recipe else FOLDER
        packages = noted(ws, name, digest) or {}
        return LockedImage(name, source=source, stand_in=digest, packages=packages)
    digest = image.digest or image.pushed.get(Reference.parse(name).repository, "")
    if not digest:
        return None
    platforms = {}
    for platform in dict.fromkeys((image.platform, *need.platforms)):
        words = ("docker", "image", "inspect", "--format", "{{.Descriptor.digest}}")
        found = ws.runner.read(*words, "--platform", platform, name, check=False)
        if found.ok and found.stdout.strip():
            platforms[f"{Platform.parse(platform)}"] = found.stdout.strip()
    return LockedImage(name, digest, platforms, LOCAL)


def _moment(image: StoredImage) -> datetime | None:
    return _time(image.created)


def _time(told: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(f"{told}") if told else None
    except ValueError:
        return None


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
