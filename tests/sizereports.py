"""Reports of a deep look and of a comparison, as features give them."""

from __future__ import annotations

from typing import Final

from hullwright.sizes import BudgetResult, Figures, ImageSizes, LayerSize, SizeReport, Subject
from hullwright.sizes.contents import Advice, Contents, Package, Seen, Waste
from hullwright.sizes.delta import Comparison, Difference, Growth

MB: Final = 1_000_000
SUBJECT: Final = Subject("shop/api:1.4.1", "api", "production", f"sha256:{'a' * 64}")


def layer(number: int, unpacked: int, step: str, origin: str) -> LayerSize:
    """Return a layer whose blob is a third of what it unpacks to."""
    return LayerSize(
        f"sha256:{number:064}",
        f"sha256:{number:064x}",
        unpacked // 3,
        unpacked,
        f"{step} # buildkit",
        "base" if origin == "base" else "own",
        step,
        unpacked + 4096,
    )


FIGURES: Final = Figures(
    "linux/amd64",
    f"sha256:{'b' * 64}",
    52_100_000,
    148 * MB,
    (
        layer(1, 90 * MB, "ADD rootfs.tar /", "base"),
        layer(2, 26_800_000, "RUN pip install", "own"),
        layer(3, 31_200_000, "COPY models/", "own"),
    ),
    visible_bytes=142 * MB,
    waste_bytes=6_100_000,
    efficiency=0.9512,
    created="2026-11-20T10:00:00+00:00",
)
CONTENTS: Final = Contents(
    seen=(
        Seen("app/models/x.bin", 31_200_000, 2, "c1", -1, "data"),
        Seen("usr/bin/python3.13", 7 * MB, 0, "c2", 0, "program"),
        Seen("usr/lib/libcrypto.so.3", 45 * MB, 0, "c3", 0, "library"),
        Seen("usr/lib/python3/a_<b>.py", 30 * MB, 1, "c4", 1, "python"),
        Seen("usr/share/doc/python3/README.md", 2 * MB, 0, "c5", 0, "documentation"),
        Seen("var/lib/apt/lists/all", 4_400_000, 1, "c6", -1, "data"),
    ),
    packages=(
        Package("dpkg", "libssl3", "3.5.0-1", 45 * MB, 1, 0),
        Package("python", "numpy", "2.3.0", 30 * MB, 1, 1),
    ),
    waste=(
        Waste("cache", "var/lib/apt/lists", 4_400_000, 1, note="lists of apt"),
        Waste("replaced", "usr/lib/old.so", 1_700_000, 0, by=1),
    ),
    advice=(
        Advice("caches", "remove the lists of apt in the step that fetches them", 4_400_000, 1),
        Advice("stage", "build in a stage of its own, and copy what runs", 0),
    ),
)
DEEP: Final = SizeReport((ImageSizes(SUBJECT, FIGURES, (), 240 * MB, CONTENTS),), (), 240 * MB)
CAUSE: Final = (
    "api linux/amd64 grew by 31.4 MB unpacked: step COPY models/, /app/models/x.bin 31.2 MB"
)
COMPARED: Final = Comparison(
    asked="main",
    reference="registry.example.com/shop/api:sha-1a2b3c4",
    how="registry, tag sha-1a2b3c4",
    before=Figures("linux/amd64", f"sha256:{'e' * 64}", 23_200_000, 116_600_000, ()),
    cause=CAUSE,
    kind="own",
    growth=(
        Growth("compressed", 52_100_000, 23_200_000, 100_000, 28_800_000),
        Growth("unpacked", 148 * MB, 116_600_000, 200_000, 31_200_000),
        Growth("waste", 6_100_000, 6_100_000),
        # Of a registry's image nobody knows it: machines are told so, people get no row.
        Growth("on disk", None, None),
        Growth("layers", 3, 2, 0, 1),
    ),
    layers=(
        Difference("COPY models/", "added", 31_200_000, "own"),
        Difference("ADD rootfs.tar /", "grown", 200_000, "base"),
    ),
    packages=(Difference("libssl3", "grown", 200_000, "base", "3.4.1 → 3.5.0-1", "dpkg"),),
    files=tuple(
        Difference(f"/app/models/x{n}.bin", "added", MB * (9 - n), "own") for n in range(7)
    ),
)
BUDGETS: Final = (
    BudgetResult(
        "unpacked",
        148 * MB,
        140 * MB,
        200 * MB,
        5 * MB,
        "fail",
        growth=31_200_000,
        exceeded="own-growth",
    ),
)
AGAINST: Final = SizeReport(
    (
        ImageSizes(
            Subject("shop/web:1.4.1", "web"),
            Figures("linux/amd64", f"sha256:{'f' * 64}", 2 * MB, 5 * MB, ()),
            compared=Comparison(
                "main",
                "shop/web:1.4.0",
                "recorded",
                Figures("linux/amd64", f"sha256:{'0' * 64}", 2 * MB, 5 * MB, ()),
                "web linux/amd64 is the same as main: no layer differs",
                "same",
                growth=(Growth("unpacked", 5 * MB, 5 * MB, 0, 0),),
            ),
        ),
        ImageSizes(SUBJECT, FIGURES, BUDGETS, 240 * MB, CONTENTS, COMPARED),
    ),
    (),
    250 * MB,
    brief=True,
)
