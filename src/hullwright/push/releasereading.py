"""Reads release files: what is wrong with one is told at once, with the place of each mistake."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import UsageError
from hullwright.images import DIGEST, TAG, Platform, Reference
from hullwright.push.release import SCHEMA, Release, ReleasedImage, ReleasedStack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_HEX: Final = frozenset("0123456789abcdef")
_FINGERPRINT_DIGITS: Final = 64
_SHOWN: Final = 40


def read(path: Path) -> Release:
    """Return the release that a file holds.

    Raises:
        UsageError: the file cannot be read, or is no release file; every mistake is named.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(
            f"the release file {path} cannot be read",
            why=why or f"{error}",
            next_step="invoke push --release-file FILE writes one",
        ) from None
    return from_json(text, f"{path}")


def from_json(text: str, name: str) -> Release:
    """Return the release of a document; unknown keys are ignored.

    Raises:
        UsageError: it is no release file; every mistake is named.
    """
    reading = _Reading()
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refused(name, [("it", f"is no JSON: {error}")]) from None
    release = reading.release(document) if isinstance(document, dict) else None
    if release is None:
        raise _refused(name, [("it", "is no JSON object")])
    if reading.problems:
        raise _refused(name, reading.problems)
    return release


def _refused(name: str, problems: list[tuple[str, str]]) -> UsageError:
    more = len(problems) - _SHOWN
    shown = [*problems[:_SHOWN], *([("…", f"and {more} more")] if more > 0 else [])]
    return UsageError(
        f"{name} is no release file of this Hullwright",
        why=shown,
        next_step="take one as it was written by: invoke push --release-file FILE",
    )


@dataclass
class _Reading:
    """Notes what is wrong and reads on."""

    problems: list[tuple[str, str]] = field(default_factory=list)

    def release(self, document: Mapping[str, Any]) -> Release:
        schema = document.get("schema")
        if schema != SCHEMA:
            self.problem("schema", f"is {_told(schema)}, and only {SCHEMA} is known")
        images = tuple(self.image(key, entry) for key, entry in self.tables(document, "images"))
        if not images and isinstance(document.get("images"), list):
            self.problem("images", "is empty")
        for index, image in enumerate(images):
            if any((i.service, i.target) == (image.service, image.target) for i in images[:index]):
                self.problem(f"images.{index}", f"is {image.name} once more")
        known = {image.reference for image in images}
        return Release(
            project=self.text(document, "project"),
            version=self.text(document, "version"),
            revision=self.text(document, "revision", empty=True),
            created=self.text(document, "created", check=_time),
            images=images,
            compose=tuple(
                self.stack(key, entry, known) for key, entry in self.tables(document, "compose")
            ),
        )

    def image(self, key: str, entry: Mapping[str, Any]) -> ReleasedImage:
        return ReleasedImage(
            service=self.text(entry, "service", key),
            target=self.text(entry, "target", key, empty=True),
            repository=self.text(entry, "repository", key, check=_repository),
            digest=self.text(entry, "digest", key, check=_digest),
            platforms=self.platforms(entry, key),
            tags=self.texts(entry, "tags", key, check=_tag),
            fingerprint=self.text(entry, "fingerprint", key, empty=True, check=_fingerprint),
            version=self.text(entry, "version", key, empty=True, absent=True),
            revision=self.text(entry, "revision", key, empty=True, absent=True),
        )

    def stack(self, key: str, entry: Mapping[str, Any], known: set[str]) -> ReleasedStack:
        return ReleasedStack(
            stack=self.text(entry, "stack", key),
            files=self.texts(entry, "files", key),
            config_hash=self.text(entry, "config_hash", key, check=_digest),
            images=self.pinned(entry, key, known),
        )

    def platforms(self, entry: Mapping[str, Any], key: str) -> dict[str, str]:
        value = entry.get("platforms")
        if not isinstance(value, dict) or not value:
            self.problem(f"{key}.platforms", _wrong(value, "not a digest for each platform"))
            return {}
        for name, digest in value.items():
            self.hold(f"{key}.platforms.{name}", _platform(name) or _digest(digest))
        return {name: f"{digest}" for name, digest in value.items()}

    def pinned(self, entry: Mapping[str, Any], key: str, known: set[str]) -> dict[str, str]:
        override = entry.get("override")
        services = override.get("services") if isinstance(override, dict) else None
        if not isinstance(services, dict):
            self.problem(f"{key}.override", "is no compose override with services")
            return {}
        found: dict[str, str] = {}
        for name, service in services.items():
            image = service.get("image") if isinstance(service, dict) else None
            if image not in known:
                place = f"{key}.override.services.{name}.image"
                self.problem(place, _wrong(image, "no image of this release"))
            found[name] = f"{image}"
        return found

    def tables(self, entry: Mapping[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        value = entry.get(name)
        if not isinstance(value, list):
            self.problem(name, _wrong(value, "not a list"))
            return
        for index, each in enumerate(value):
            if isinstance(each, dict):
                yield f"{name}.{index}", each
            else:
                self.problem(f"{name}.{index}", _wrong(each, "not an object"))

    def texts(
        self,
        entry: Mapping[str, Any],
        name: str,
        key: str,
        check: Callable[[Any], str] = lambda _: "",
    ) -> tuple[str, ...]:
        value = entry.get(name)
        if not isinstance(value, list):
            self.problem(f"{key}.{name}", _wrong(value, "not a list"))
            return ()
        for index, each in enumerate(value):
            what = check(each) if isinstance(each, str) else _wrong(each, "not a text")
            self.hold(f"{key}.{name}.{index}", what)
        return tuple(value)

    def text(
        self,
        entry: Mapping[str, Any],
        name: str,
        key: str = "",
        *,
        empty: bool = False,
        absent: bool = False,
        check: Callable[[Any], str] = lambda _: "",
    ) -> str:
        place = f"{key}.{name}" if key else name
        value: object = entry.get(name, "" if absent else None)
        if not isinstance(value, str):
            self.problem(place, _wrong(value, "not a text"))
            return ""
        if value or not empty:
            self.hold(place, check(value) if value else "is empty")
        return value

    def hold(self, place: str, what: str) -> None:
        if what:
            self.problem(place, what)

    def problem(self, place: str, what: str) -> None:
        self.problems.append((place, what))


def _wrong(value: object, what: str) -> str:
    """Return what is wrong with a value that is `what`: `no legal tag`, `not a list`."""
    return "is missing" if value is None else f"is {_told(value)}, {what}"


def _told(value: object) -> str:
    if value is None:
        return "missing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _digest(value: object) -> str:
    right = isinstance(value, str) and DIGEST.fullmatch(value)
    return "" if right else _wrong(value, "not sha256: and 64 hexadecimal digits")


def _tag(value: str) -> str:
    return "" if TAG.fullmatch(value) else _wrong(value, "no legal tag")


def _fingerprint(value: str) -> str:
    right = len(value) == _FINGERPRINT_DIGITS and set(value) <= _HEX
    return "" if right else _wrong(value, f"not {_FINGERPRINT_DIGITS} hexadecimal digits")


def _platform(value: str) -> str:
    try:
        usual = f"{Platform.parse(value)}"
    except UsageError:
        return "is no platform"
    return "" if usual == value else f"is written {usual}"


def _repository(value: str) -> str:
    try:
        right = Reference.parse(value).repository == value
    except UsageError:
        right = False
    return "" if right else _wrong(value, "not a repository without tag and digest")


def _time(value: str) -> str:
    try:
        zone = datetime.fromisoformat(value).tzinfo
    except ValueError:
        zone = None
    return "" if zone else _wrong(value, "no time with its zone")
