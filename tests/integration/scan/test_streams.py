"""Streams that end early: an image that the engine cannot give, objects that Git cannot."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Final

import pytest

from archives import Layout, tar
from hullwright.errors import HullwrightError
from hullwright.run import CommandError
from hullwright.scan import ScannedImage, ScanPlan, execute
from hullwright.secret import Secret
from hullwright.tools.gitobjects import objects
from hullwright.tools.tarstream import ArchiveError

if TYPE_CHECKING:
    from pathlib import Path

    from vaults import Vault

VALUES: Final = {"TOKEN": Secret("q7Vt0zB1u8Xw2Yd3")}
PLAN: Final = ScanPlan((ScannedImage("shop/api:1", "sha256:1"),), ())


def engine_that(vault: Vault, folder: Path, archive: bytes, end: str) -> None:
    """Put a `docker` first on PATH that streams an archive and then does what `end` says."""
    programs = folder / "programs"
    programs.mkdir()
    (folder / "archive").write_bytes(archive)
    text = f"#!/bin/sh\ncat '{folder}/archive'\n{end}\n"
    (programs / "docker").write_text(text, encoding="utf-8")
    (programs / "docker").chmod(0o755)
    environ = vault.repository.environ
    environ["PATH"] = f"{programs}{os.pathsep}{environ['PATH']}"


def image() -> bytes:
    layout = Layout()
    layout.image(tar({"a": b"x" * 50_000}))
    return layout.archive()


def test_an_archive_that_ends_early_is_no_proof(vault: Vault, tmp_path: Path) -> None:
    engine_that(vault, tmp_path, image()[:2000], "exit 0")
    with pytest.raises(HullwrightError, match="shop/api:1 cannot be searched: the archive is cut"):
        execute(vault.workspace(), PLAN, VALUES)


@pytest.mark.parametrize("length", [0, 2000, None])
def test_an_engine_that_fails_is_told_in_its_words(
    vault: Vault, tmp_path: Path, length: int | None
) -> None:
    engine_that(vault, tmp_path, image()[:length], "echo 'content digest not found' >&2; exit 1")
    with pytest.raises(CommandError) as raised:
        execute(vault.workspace(), PLAN, VALUES)
    assert "content digest not found" in str(raised.value)


def test_an_image_that_is_whole_holds(vault: Vault, tmp_path: Path) -> None:
    engine_that(vault, tmp_path, image(), "exit 0")
    assert not execute(vault.workspace(), PLAN, VALUES).failed


def test_an_archive_without_an_image_is_no_proof(vault: Vault, tmp_path: Path) -> None:
    engine_that(vault, tmp_path, tar({"index.json": b"{}"}), "exit 0")
    found = execute(vault.workspace(), PLAN, VALUES)
    assert found.findings[0].message.startswith("was not searched: its archive has no index.json")


def test_git_that_ends_within_an_object_is_no_proof() -> None:
    stream = io.BytesIO(b"0123 blob 3\nabc\n4567 missing\n89ab blob 50\nabc")
    read = objects(stream)
    first = next(read)
    assert (first.name, first.read(10), first.read(10)) == ("0123", b"abc", b"")
    second = next(read)
    with pytest.raises(ArchiveError):
        [second.read(10) for _ in range(3)]
