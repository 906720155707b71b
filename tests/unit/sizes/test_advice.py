"""What to do about an image's size: what applies, with the bytes that it saves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from hullwright.sizes import wasted
from hullwright.sizes.advice import given
from hullwright.sizes.contents import Advice, Contents, Package, Seen, Waste
from hullwright.sizes.models import LayerSize
from hullwright.sizes.standing import Written
from hullwright.tools import dockerfile

if TYPE_CHECKING:
    from hullwright.sizes.models import Origin

MB: Final = 1_000_000
MULTI: Final = "FROM golang:1.26 AS builder\nFROM debian:13\nCOPY --from=builder /a /a\n"
STEPS: Final = ("ADD rootfs.tar /", "COPY app /app", "RUN chown -R app /app")


def layers(*origins: Origin | None) -> tuple[LayerSize, ...]:
    return tuple(
        LayerSize("", f"{number}", 1, 1, step, origin, step)
        for number, (origin, step) in enumerate(zip(origins, STEPS, strict=False))
    )


def package(name: str, size: int, layer: int = 1, ecosystem: str = "dpkg") -> Package:
    return Package(ecosystem, name, "1", size, 1, layer)  # type: ignore[arg-type]  # of a test


def written(text: str, *, final: bool = True) -> Written:
    return Written(dockerfile.parse(text), "", {}, final)


def advised(
    *packages: Package,
    waste: tuple[Waste, ...] = (),
    seen: tuple[Seen, ...] = (),
    origins: tuple[Origin | None, ...] = ("base", "own", "own"),
    text: str = MULTI,
    final: bool = True,
) -> tuple[Advice, ...]:
    by = written(text, final=final) if text else None
    return given(layers(*origins), Contents(seen, packages, waste), by)


def only(*args: Package, **others: object) -> Advice:
    (found,) = advised(*args, **others)  # type: ignore[arg-type]  # passed on as they are
    return found


def test_a_small_clean_image_gets_no_advice() -> None:
    assert advised(package("libc6", 12 * MB, 0), package("flask", MB, 1, "python")) == ()


def test_build_tools_in_own_layers_belong_into_an_earlier_stage() -> None:
    found = only(
        package("gcc-14-x86-64-linux-gnu", 70 * MB),
        package("libssl-dev", 5 * MB),
        package("gcc-14-base", MB),
        package("git", 30 * MB, 2),
        package("nginx", MB),
    )
    assert found == Advice(
        "build-tools",
        "leave gcc, git and libssl-dev in an earlier stage, unless the service itself runs them",
        105 * MB,
        1,
    )


@pytest.mark.parametrize(
    ("packages", "others"),
    [
        # Many a service runs it.
        ([package("git", 30 * MB)], {}),
        # The base's cannot be taken out by a step of one's own.
        ([package("gcc-14", 70 * MB, 0)], {}),
        ([package("gcc-14", 70 * MB)], {"origins": (None, None, None)}),
        # A stage for developing has them on purpose.
        ([package("gcc-14", 70 * MB)], {"final": False}),
        ([package("gcc-14", 5_000)], {}),
    ],
)
def test_of_tools_nothing_is_guessed(packages: list[Package], others: dict[str, object]) -> None:
    assert advised(*packages, **others) == ()  # type: ignore[arg-type]  # passed on as they are


def test_a_package_manager_that_was_added_is_left_behind() -> None:
    found = only(package("pip", 9 * MB, 2, "python"))
    assert (found.id, found.saves_bytes, found.layer) == ("build-tools", 9 * MB, 2)


def test_one_stage_on_a_build_image_is_told_to_become_two() -> None:
    toolchain = (Seen("usr/local/go/bin/go", 200 * MB, 0),)
    found = only(
        package("gcc-14", 70 * MB, 0),
        package("make", MB, 1),
        seen=toolchain,
        text="FROM golang:1.26\nCOPY . .\nRUN go build\n",
    )
    assert (found.id, found.saves_bytes) == ("multi-stage", 271 * MB)
    assert found.sentence.endswith("onto a base without the Go toolchain, gcc and make")


@pytest.mark.parametrize(
    ("base", "slim"),
    [
        ("python:3.13", "python:3.13-slim"),
        ("python:3.13-trixie", "python:3.13-slim-trixie"),
        ("docker.io/library/node:22-bookworm", "node:22-bookworm-slim"),
        ("ruby:3.4.1", "ruby:3.4.1-slim"),
    ],
)
def test_a_smaller_base_of_the_same_name_is_told(base: str, slim: str) -> None:
    found = only(package("gcc-14", 70 * MB, 0), text=f"FROM {base}\nRUN x\n")
    assert found == Advice("base", f"start from {slim}, which comes without gcc", 70 * MB, 0)


@pytest.mark.parametrize(
    "base",
    ["python:3.13-slim", "python:latest", "golang:1.26", "example.com/python:3.13",
     "python:3.13-alpine", "python:3.13-windowsservercore", f"python@sha256:{'0' * 64}", "$X"],
)  # fmt: skip
def test_no_base_is_made_up(base: str) -> None:
    found = advised(package("gcc-14", 70 * MB, 0), text=f"FROM {base}\nRUN x\n")
    assert "base" not in {each.id for each in found}


def test_a_cache_is_told_with_how_to_keep_it_out() -> None:
    lists = Waste("cache", "var/lib/apt/lists", 20 * MB, 1, note="apt's lists of packages")
    found = only(waste=(lists, replace(lists, layer=0)))
    assert found == Advice(
        "cache",
        "keep apt's lists of packages out of the image (/var/lib/apt/lists): end the RUN of "
        "apt-get with rm -rf /var/lib/apt/lists/*, or mount a cache there",
        20 * MB,
        1,
    )


def test_symbols_are_told_by_package_and_those_of_go_for_its_linker() -> None:
    seen = (Seen("api", 9 * MB, 1, package=0), Seen("lib.so", MB, 1), Seen("gcc", MB, 1, package=1))
    waste = tuple(
        each
        for path in ("api", "lib.so", "gcc")
        for each in (
            Waste("unstripped", path, 200_000, 1, note="its symbol table"),
            Waste("debug", path, 200_000, 1, note="its debug information"),
        )
    )
    found = advised(
        package("example.org/api", 9 * MB, ecosystem="go"),
        package("gcc-14", 0),
        seen=seen,
        waste=waste,
    )
    assert [(each.sentence, each.saves_bytes) for each in found] == [
        ('link with -ldflags="-s -w": symbols and debug information of example.org/api', 400_000),
        ("strip symbols and debug information of /lib.so", 400_000),
    ]


def test_debug_files_are_left_out() -> None:
    found = only(waste=(Waste("debug", "usr/lib/x.a", MB, 1, note="only a linker reads it"),))
    assert (found.id, found.sentence) == (
        "debug-files",
        "leave out what only a debugger or a linker reads: /usr/lib/x.a",
    )


@pytest.mark.parametrize(
    ("note", "flag", "command"),
    [(wasted.SAME_OWNER, "--chown", "chown"), (wasted.SAME_MODE, "--chmod", "chmod")],
)
def test_what_is_copied_and_then_changed_is_copied_so(note: str, flag: str, command: str) -> None:
    waste = tuple(Waste("replaced", f"app/{n}", MB, 1, 2, note) for n in range(3))
    found = only(waste=waste)
    assert found == Advice(
        "copy-then-change",
        f'write COPY {flag}=… in place of {command}: "RUN chown -R app /app" stores again what '
        '"COPY app /app" has',
        3 * MB,
        2,
    )


def test_what_was_replaced_by_something_else_is_no_matter_of_owners() -> None:
    assert advised(waste=(Waste("replaced", "app/x", MB, 1, 2),)) == ()


def test_files_that_a_later_step_deletes_are_to_be_deleted_at_once() -> None:
    gone = Waste("deleted", "tmp/x", MB, 1, 2)
    found = only(waste=(gone, replace(gone, layer=0)))
    assert (found.id, found.saves_bytes, found.layer) == ("deleted", MB, 1)
    assert '"RUN chown -R app /app" only hides them' in found.sentence
    assert advised(waste=(gone,), origins=(None, None, None)) == ()


def test_what_saves_most_comes_first_and_many_names_are_counted() -> None:
    names = ("make", "cmake", "bison", "flex", "patch", "autoconf")
    found = advised(
        *(package(name, MB * (9 - number)) for number, name in enumerate(names)),
        waste=(Waste("cache", "root/.npm", 90 * MB, 1, note="npm's cache"),),
    )
    assert [each.id for each in found] == ["cache", "build-tools"]
    assert "make, cmake, bison and 3 more" in found[1].sentence
