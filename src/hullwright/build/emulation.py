"""Which builds run foreign code, and whether the builder can: told before anything is built."""

from __future__ import annotations

import platform as machine
from typing import TYPE_CHECKING, Final

from hullwright.errors import UnavailableError, UsageError
from hullwright.images import Platform
from hullwright.tools import builders
from hullwright.tools.dockerfile import substitute

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hullwright.tools.builders import Builder
    from hullwright.tools.dockerfile import Dockerfile, Stage
    from hullwright.workspace import Workspace

# Code of the second runs on a processor of the first as it is.
_FAMILIES: Final = frozenset({("amd64", "386"), ("arm64", "arm"), ("ppc64", "ppc")})


def host() -> str:
    """Return the platform of this machine, such as `linux/amd64`."""
    arch = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine.machine(), machine.machine())
    return f"linux/{arch}"


def foreign(platform: str, native: str = "") -> bool:
    """Return whether a step's code needs an emulator on `native`, by default this machine.

    Args:
        platform: as BuildKit names a step's; of a cross-compiling one (`linux/amd64->arm64`)
            the first part ran. Empty is the builder's own.
        native: a platform.
    """
    ran = platform.partition("->")[0]
    if not ran:
        return False
    try:
        step, own = Platform.parse(ran), Platform.parse(native or host())
    except UsageError:
        return False
    same = step.os == own.os and step.arch == own.arch
    return not same and (own.arch, step.arch) not in _FAMILIES


def run_platforms(
    dockerfile: Dockerfile, target: str, build_args: Mapping[str, str], platform: str
) -> Iterator[tuple[str, str, int]]:
    """Yield the platform, the stage and the line of each `RUN` for one platform of an image.

    The builder's own platform is left out: a stage that says `--platform=$BUILDPLATFORM` has it,
    and so has each stage that starts from such a one.
    """
    words = ("TARGETOS", "TARGETARCH", "TARGETVARIANT")
    values = {
        **dockerfile.values(build_args),
        **dict.fromkeys(words, ""),
        **dict(zip(words, platform.split("/"), strict=False)),
        "TARGETPLATFORM": platform,
        "BUILDPLATFORM": "",
    }
    stages = dockerfile.all_stages
    for stage in dockerfile.needed_stages(target or str(len(stages) - 1), build_args):
        runs = [step.line for step in stage.instructions if step.keyword == "RUN"]
        ran_on = _platform(dockerfile, stage, values, platform) if runs else ""
        if ran_on:
            yield ran_on, stage.name or str(stages.index(stage)), runs[0]


def refuse_missing(
    ws: Workspace, needs: Iterable[tuple[str, str]], builder: Builder | None = None
) -> None:
    """Refuse what the builder cannot run; it is asked only where this machine cannot itself.

    Args:
        ws: the repository.
        needs: platforms whose code a step runs, each with where that step stands.
        builder: that is to run them, its own platform first; None for the one of the run.

    Raises:
        UnavailableError: an emulator is missing, or the builder cannot be asked.
    """
    own = builder.platforms[0] if builder and builder.platforms else ""
    wanted = [(normal(platform), place) for platform, place in needs if foreign(platform, own)]
    if not wanted:
        return
    builder = builder or builders.current(ws)
    # A builder that was not started yet does not say what it can.
    missing = [need for need in wanted if builder.platforms and need[0] not in builder.platforms]
    if not missing:
        return
    arch = missing[0][0].split("/")[1]
    names = ", ".join(dict.fromkeys(platform for platform, _ in missing))
    raise UnavailableError(
        f"builder {builder.name} cannot run programs of {names}",
        why=[
            *dict.fromkeys(("needed by", f"{place}  ({platform})") for platform, place in missing),
            ("it runs", " ".join(builder.platforms)),
        ],
        next_step=(
            f"install the emulator of {arch} where the engine runs (Debian: qemu-user-static and "
            "binfmt-support), or\ncross-compile: FROM --platform=$BUILDPLATFORM, with TARGETARCH "
            "in the step, or\nleave the platform out: --platform"
        ),
    )


def normal(platform: str) -> str:
    """Return a platform as builders name theirs: `linux/arm/v7` for `linux/arm`."""
    text = str(Platform.parse(platform))
    return "linux/arm/v7" if text == "linux/arm" else text


def _platform(dockerfile: Dockerfile, stage: Stage, values: Mapping[str, str], target: str) -> str:
    """Return the platform that a stage runs on; empty for the builder's own."""
    stages = dockerfile.all_stages
    index: int | None = stages.index(stage)
    while index is not None:
        said = stages[index].platform
        if said:
            return substitute(said, values).text
        index = dockerfile.index_of(substitute(stages[index].base, values).text, index)
    return target
