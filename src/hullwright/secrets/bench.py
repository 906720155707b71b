"""A bench: copies of encrypted files that sops changes, before any of the real ones is.

Sops writes into a file itself, so whatever ends it early would leave half of one. On copies all
commands are done first; then each file is replaced whole. Only what is encrypted lies here.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullwright.errors import CheckFailedError
from hullwright.files import write_atomic
from hullwright.secrets.rules import FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hullwright.secrets.creation import Rules
    from hullwright.secrets.source import Source
    from hullwright.workspace import Workspace


@dataclass(frozen=True)
class Bench:
    """A folder with copies, laid out as the rules see the real files.

    Attributes:
        folder: where the copies are; gone after the block.
        rules: the copy of the rules, or None where there are none.
        above: the folder that paths in the rules are relative to.
    """

    folder: Path
    rules: Path | None
    above: Path

    def name(self, source: Source) -> str:
        """Return a file's path as the rules see it."""
        inside = source.path.is_relative_to(self.above)
        return source.path.relative_to(self.above).as_posix() if inside else source.path.name

    def path(self, source: Source) -> Path:
        """Return the copy of a file, which need not be there yet."""
        return self.folder / self.name(source)

    def copy(self, source: Source) -> bytes:
        """Put a copy of a file onto the bench, and return what stands in it."""
        path = self.path(source)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = source.path.read_bytes() if source.path.is_file() else b""
        if content:
            path.write_bytes(content)
        return content

    def put_back(self, source: Source, before: bytes, by: Path) -> bool:
        """Replace the real file by its copy, whole; return whether that changed it.

        Args:
            source: which file.
            before: what stood in it when it was copied.
            by: the path at which the new content is written first.

        Raises:
            CheckFailedError: somebody else changed the real file in the meantime.
        """
        after = self.path(source).read_bytes()
        if after == before:
            return False
        now = source.path.read_bytes() if source.path.is_file() else b""
        if now != before:
            kept = source.path.with_name(f"{source.path.name}.mine")
            write_atomic(kept, after)
            raise CheckFailedError(
                f"{source.name} was changed by somebody else in the meantime",
                why=f"what was made of it here is kept, encrypted, as {kept.name} beside it",
                next_step="compare both, then take the one that is right",
            )
        source.path.parent.mkdir(parents=True, exist_ok=True)
        mode = source.path.stat().st_mode & 0o777 if before else 0o644
        write_atomic(source.path, after, mode=mode, by=by)
        return True


@contextmanager
def bench(ws: Workspace, rules: Rules | None, by: Path, text: str | None = None) -> Iterator[Bench]:
    """Yield a bench with the rules on it, or with another text of them; it is removed after.

    Args:
        ws: the repository.
        rules: the rules, or None where there are none.
        by: the path that belongs to the holder of the lock alone; the bench is beside it, so that
            the next holder clears away what a kill left.
        text: what the rules are to be.
    """
    folder = by.with_suffix(".bench")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        copied = folder / FILE if rules else None
        if rules and copied:
            copied.write_text(rules.text if text is None else text, encoding="utf-8")
        yield Bench(folder, copied, rules.path.parent if rules else ws.root)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
