"""What a version is, and how it follows from a tag, a distance and the content.

The rules are of SemVer 2 (https://semver.org): a build between two releases sorts above the
older and below every pre-release of the newer.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import semver

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

# A `v` that is a word of its own, as in `v` and `api/v`, and not in `dev`.
_V: Final = re.compile(r"(?:^|[^A-Za-z0-9])v$")
_SHORT: Final = 7
_TREE_DIGITS: Final = 8
# A tag has 128 characters, of which a build stage's name takes some.
_LONGEST_TAG: Final = 100
_HASH_DIGITS: Final = 8


@dataclass(frozen=True, slots=True)
class Version:
    """The version of what is checked out.

    Attributes:
        version: SemVer 2.
        image_tag: the same as the tag of an image, where `+` is not allowed; a very long one is
            cut and ends with a hash of the whole.
        revision: full object name of the commit.
        short_revision: its first seven digits; of a fixed length, so that each clone agrees.
        describe: Git's own nearest-tag string.
        ref: `refs/heads/…`, or `HEAD` where no branch is checked out; empty where it is not known.
        commit_date: the commit's date, in UTC.
        distance: commits since the tag; since the beginning where there is none. None where it is
            not known.
        dirty: whether the content differs from the commit's.
        major, minor, patch, prerelease, build: the parts of `version`; the last two may be empty.
        tag: the Git tag that it was counted from, or nothing.
    """

    version: str
    image_tag: str
    revision: str
    short_revision: str
    describe: str
    ref: str
    commit_date: datetime
    distance: int | None
    dirty: bool
    major: int
    minor: int
    patch: int
    prerelease: str
    build: str
    tag: str = ""


def highest(names: Iterable[str], prefix: str) -> tuple[str, semver.Version] | None:
    """Return the tag of the highest version behind `prefix`, or None without any.

    Of two names for one precedence (they differ in build metadata), the greater name is taken.
    """
    found = [(version, name) for name in names if (version := of_tag(name, prefix))]
    if not found:
        return None
    # Numbers first, for most of a long list: comparing whole versions costs ten times as much.
    newest = max((version.major, version.minor, version.patch) for version, _ in found)
    version, name = max(
        entry for entry in found if (entry[0].major, entry[0].minor, entry[0].patch) == newest
    )
    return name, version


def counted_prefix(names: Iterable[str], prefix: str) -> str:
    """Return the prefix of the tags that count: without its `v` where only such tags exist.

    `1.2.3` is as usual as `v1.2.3`, and strictly it is the one that is SemVer. As soon as a tag
    with the `v` exists, only those count: two ways of writing never mix.
    """
    bare = without_v(prefix)
    names = list(names)
    if bare is None or highest(names, prefix) or not highest(names, bare):
        return prefix
    return bare


def without_v(prefix: str) -> str | None:
    """Return a prefix without the `v` for "version" that it ends with, or None without one."""
    return prefix[:-1] if _V.search(prefix) else None


def of_tag(name: str, prefix: str) -> semver.Version | None:
    """Return the version that a tag names, or None where it names none."""
    # Most tags of another kind are told by one letter: failing to parse them costs far more.
    if not (name.startswith(prefix) and name[len(prefix) :][:1].isdigit()):
        return None
    try:
        return semver.Version.parse(name[len(prefix) :])
    except ValueError:
        return None


def derive(
    base: semver.Version | None, *, distance: int, revision: str, changed_tree: str | None
) -> semver.Version:
    """Return the version of content that is `distance` commits after the tag `base`.

    Args:
        base: the version of the highest tag that HEAD contains, or None.
        distance: commits since it.
        revision: the full object name of HEAD.
        changed_tree: the object name of the content where it is not HEAD's.
    """
    if base is not None and distance == 0 and changed_tree is None:
        return base
    build = f"g{revision[:_SHORT]}"
    if changed_tree is not None:
        build = f"{build}.dirty.{changed_tree[:_TREE_DIGITS]}"
    if base is None:
        return semver.Version(0, 0, 0, f"0.dev.{distance}", build)
    if base.prerelease:
        return base.replace(prerelease=f"{base.prerelease}.dev.{distance}", build=build)
    # `0` sorts below every identifier that a pre-release can begin with.
    return semver.Version(base.major, base.minor, base.patch + 1, f"0.dev.{distance}", build)


def assemble(
    version: semver.Version,
    *,
    revision: str,
    describe: str,
    ref: str,
    commit_date: datetime,
    distance: int | None,
    dirty: bool,
    tag: str = "",
) -> Version:
    """Return the version with everything that is known of its commit."""
    text = str(version)
    return Version(
        version=text,
        image_tag=_image_tag(text),
        revision=revision,
        short_revision=revision[:_SHORT],
        describe=describe,
        ref=ref,
        commit_date=commit_date,
        distance=distance,
        dirty=dirty,
        major=version.major,
        minor=version.minor,
        patch=version.patch,
        prerelease=version.prerelease or "",
        build=version.build or "",
        tag=tag,
    )


def _image_tag(version: str) -> str:
    tag = version.replace("+", ".")
    if len(tag) <= _LONGEST_TAG:
        return tag
    digest = hashlib.sha256(version.encode()).hexdigest()[:_HASH_DIGITS]
    return f"{tag[: _LONGEST_TAG - _HASH_DIGITS - 1].rstrip('-.')}-{digest}"


def rfc3339(moment: datetime) -> str:
    """Return a moment as RFC 3339 in UTC, in whole seconds."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def build_arguments(version: Version, created: datetime | None = None) -> dict[str, str]:
    """Return the build arguments that tell an image its version.

    They are the same for the same commit on any machine and on any day, so that a build can be
    repeated. A Dockerfile gets those that it declares.

    Args:
        version: of the sources.
        created: when the image is said to be created, if not when the commit was. Times of files
            stay the commit's, for nobody reads those as news.
    """
    return {
        "VERSION": version.version,
        "GIT_COMMIT": version.short_revision,
        "GIT_REVISION": version.revision,
        "BUILD_DATE": rfc3339(created or version.commit_date),
        "SOURCE_DATE_EPOCH": str(int(version.commit_date.timestamp())),
    }
