"""Programs made byte by byte, for tests of what is read of them."""

from __future__ import annotations

import struct


def program(
    sections: dict[str, int], *, wide: bool = True, order: str = "<", body: bytes = b""
) -> bytes:
    """Return an ELF file of these sections, with its table at the end as linkers write it."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name in sections) + b".shstrtab\0"
    content = body + b"\1" * sum(sections.values())
    head = 64 if wide else 52
    table = head + len(content) + len(names)
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + b"\0" * 9
    count = len(sections) + 2
    size = 64 if wide else 40
    if wide:
        header = struct.pack(
            f"{order}HHIQQQIHHHHHH", 2, 62, 1, 0, 0, table, 0, 64, 56, 0, size, count, count - 1
        )
    else:
        header = struct.pack(
            f"{order}HHIIIIIHHHHHH", 2, 3, 1, 0, 0, table, 0, 52, 32, 0, size, count, count - 1
        )
    rows = [struct.pack(f"{order}I", 0).ljust(size, b"\0")]
    offset = head + len(body)
    layout = f"{order}IIQQQQIIQQ" if wide else f"{order}IIIIIIIIII"
    for name, length in sections.items():
        at = names.index(b"\0" + name.encode() + b"\0") + 1
        rows.append(struct.pack(layout, at, 1, 0, 0, offset, length, 0, 0, 1, 0))
        offset += length
    at = names.index(b".shstrtab")
    rows.append(struct.pack(layout, at, 3, 0, 0, head + len(content), len(names), 0, 0, 1, 0))
    return ident + header + content + names + b"".join(rows)
