"""What files are for."""

from __future__ import annotations

import pytest

from hullwright.sizes.types import type_of


@pytest.mark.parametrize(
    ("path", "elf", "kind"),
    [
        ("usr/bin/ls", True, "program"),
        ("usr/lib/x86_64-linux-gnu/libc.so.6", True, "library"),
        ("app/_ssl.cpython-313-x86_64-linux-gnu.so", True, "library"),
        ("usr/lib/debug/.build-id/ab/cd.debug", True, "debug"),
        ("usr/lib/crt1.o", True, "static library"),
        ("usr/lib/libm.a", False, "static library"),
        ("app/main.py", False, "python"),
        ("app/__pycache__/main.cpython-313.pyc", False, "bytecode"),
        ("app/index.mjs", False, "javascript"),
        ("app/index.js.map", False, "source map"),
        ("usr/share/doc/python3/example.py", False, "documentation"),
        ("usr/share/man/man1/ls.1.gz", False, "documentation"),
        ("README.md", False, "documentation"),
        ("usr/share/locale/de/LC_MESSAGES/ls.mo", False, "locale"),
        ("usr/lib/locale/C.utf8/LC_CTYPE", False, "locale"),
        ("etc/ssl/certs/ca-certificates.crt", False, "certificates"),
        ("x/site-packages/certifi/cacert.pem", False, "certificates"),
        ("srv/data.tar.gz", False, "archive"),
        ("usr/include/stdio.h", False, "source"),
        ("usr/share/fonts/a.conf", False, "font"),
        ("var/lib/dpkg/info/a.list", False, "database"),
        ("usr/bin/ldd", False, "script"),
        ("etc/passwd", False, "configuration"),
        ("app/models/x.bin", False, "data"),
        (".py", False, "data"),
        ("", False, "data"),
    ],
)
def test_a_file_has_a_type(path: str, *, elf: bool, kind: str) -> None:
    assert type_of(path, elf=elf) == kind
