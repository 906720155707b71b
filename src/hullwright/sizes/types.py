"""What a file is for, by its path and by whether it is an ELF file. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# Folders say more than endings: a page of documentation may be a Python file.
_PLACES: Final = re.compile(
    r"(?P<documentation>(?:^|/)share/(?:doc|man|info|gtk-doc|help|doc-base|lintian)/)"
    r"|(?P<locale>(?:^|/)(?:share/(?:locale|i18n)|lib/locale|LC_MESSAGES)/)"
    r"|(?P<certificates>^etc/ssl/certs/|(?:^|/)share/ca-certificates/|/certifi/cacert\.pem$)"
    r"|(?P<font>(?:^|/)share/fonts/)"
    r"|(?P<database>^var/lib/dpkg/|^(?:usr/)?lib/apk/db/)"
)
# A cheap look before the dear one: most paths have none of these.
_HINTS: Final = (
    "share/",
    "locale/",
    "LC_MESSAGES/",
    "etc/ssl/certs/",
    "/cacert.pem",
    "dpkg/",
    "apk/",
)
_ENDINGS: Final[Mapping[str, str]] = {
    ending: kind
    for kind, endings in (
        ("python", "py pyi pyx pth"),
        ("bytecode", "pyc pyo class"),
        ("javascript", "js mjs cjs jsx"),
        ("source map", "map"),
        ("source", "c h cc cpp cxx hpp hh go rs s asm java kt swift ts tsx mts cts proto pxd"),
        ("java", "jar war"),
        ("perl", "pl pm pod"),
        ("ruby", "rb"),
        ("script", "sh bash"),
        ("documentation", "md rst adoc 1 3 5 7 8"),
        ("locale", "mo po"),
        ("static library", "a o syso"),
        ("debug", "debug"),
        ("archive", "gz xz zst bz2 lz4 zip whl egg tar tgz txz deb apk rpm gem nupkg crate"),
        ("font", "ttf otf woff woff2 pfb afm"),
        ("image", "png jpg jpeg gif svg ico webp bmp"),
        ("web", "html htm css scss wasm"),
        ("certificates", "crt pem"),
        ("model", "onnx safetensors gguf pt pth.tar tflite h5"),
        ("database", "db sqlite sqlite3"),
    )
    for ending in endings.split()
}
_PROGRAMS: Final = ("bin/", "sbin/", "usr/bin/", "usr/sbin/", "usr/local/bin/", "usr/local/sbin/")


def type_of(path: str, *, elf: bool) -> str:
    """Return what a file is: `program`, `library`, `python`, `documentation`, …; else `data`."""
    name = path.rpartition("/")[2]
    stem, _, ending = name.rpartition(".")
    if elf:
        return _of_elf(name, ending)
    place = _PLACES.search(path) if any(hint in path for hint in _HINTS) else None
    if place is not None and place.lastgroup is not None:
        return place.lastgroup
    kind = _ENDINGS.get(ending.lower()) if stem else None
    if kind is not None:
        return kind
    if path.startswith(_PROGRAMS):
        return "script"
    return "configuration" if path.startswith("etc/") else "data"


def _of_elf(name: str, ending: str) -> str:
    if ending == "debug":
        return "debug"
    if ending in {"o", "a", "syso"}:
        return "static library"
    # `libc.so.6`, `_ssl.cpython-313-x86_64-linux-gnu.so`, and `ld-linux-x86-64.so.2`.
    if ending in {"so", "node", "ko"} or ".so." in name:
        return "library"
    return "program"
