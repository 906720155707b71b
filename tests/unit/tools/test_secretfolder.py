"""Files in memory: private, whole, ours alone, and gone when they are to be."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from hullwright.errors import HullwrightError, LockedError, UsageError
from hullwright.secret import Secret
from hullwright.tools import secretfolder
from hullwright.tools.secretfolder import SecretFile

if TYPE_CHECKING:
    from pathlib import Path

FILES = [SecretFile("app", "pw", Secret("one")), SecretFile("app", "key", Secret("two"), 0o444)]


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A place that counts as memory."""
    monkeypatch.setattr(secretfolder, "_in_memory", lambda _: True)
    return {secretfolder.VARIABLE: str(tmp_path)}


def folder_of(environ: dict[str, str], project: str = "shop") -> Path:
    found = secretfolder.folder_of(environ, project)
    assert found is not None
    return found


def test_files_are_private_and_are_what_was_given(environ: dict[str, str]) -> None:
    folder = folder_of(environ)
    assert secretfolder.generation(folder, "app", FILES) == ""
    secretfolder.make(folder, FILES, {"app": "first"})
    assert secretfolder.names(environ, "shop") == ("app/key", "app/pw")
    modes = {path.name: path.stat().st_mode & 0o777 for path in (folder / "files/app").iterdir()}
    assert modes == {"pw": 0o400, "key": 0o444}
    for above in (folder.parent, folder, folder / "files", folder / "files/app"):
        assert above.stat().st_mode & 0o777 == 0o700
    assert (folder / "files/app/pw").read_text() == "one"
    assert secretfolder.generation(folder, "app", FILES) == "first"


@pytest.mark.parametrize(
    "others",
    [
        [SecretFile("app", "pw", Secret("other")), FILES[1]],
        [SecretFile("app", "pw", Secret("one"), 0o444), FILES[1]],
        FILES[:1],
        [*FILES, SecretFile("app", "more", Secret("three"))],
    ],
)
def test_whatever_differs_is_another_generation(
    environ: dict[str, str], others: list[SecretFile]
) -> None:
    folder = folder_of(environ)
    secretfolder.make(folder, FILES, {"app": "first"})
    assert secretfolder.generation(folder, "app", others) == ""
    before = (folder / "files/app/pw").stat().st_ino
    secretfolder.make(folder, others, {"app": "second"})
    assert secretfolder.generation(folder, "app", others) == "second"
    # What a container has mounted stays as it is: the file is another one.
    assert (folder / "files/app/pw").stat().st_ino != before
    assert {path.name for path in (folder / "files/app").iterdir()} == {f.name for f in others}


def test_other_services_keep_their_files(environ: dict[str, str]) -> None:
    folder = folder_of(environ)
    secretfolder.make(folder, FILES, {"app": "first"})
    secretfolder.make(folder, [SecretFile("db", "pw", Secret("x"))], {"db": "other"})
    assert secretfolder.names(environ, "shop") == ("app/key", "app/pw", "db/pw")
    secretfolder.remove(environ, "shop")
    assert secretfolder.names(environ, "shop") == ()
    assert secretfolder.projects(environ) == ()
    secretfolder.remove(environ, "shop")


def test_somebody_elses_folder_is_not_used(environ: dict[str, str], tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / f"hullwright-{os.geteuid()}").symlink_to(elsewhere)
    with pytest.raises(HullwrightError, match="cannot be written") as caught:
        secretfolder.make(folder_of(environ), FILES, {"app": "first"})
    assert "is somebody else's" in str(caught.value)
    assert not list(elsewhere.iterdir())


def test_a_folder_that_others_could_enter_is_closed(environ: dict[str, str]) -> None:
    folder = folder_of(environ)
    folder.mkdir(parents=True, mode=0o755)
    secretfolder.make(folder, FILES, {"app": "first"})
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_place_on_a_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secretfolder, "_in_memory", lambda _: False)
    with pytest.raises(UsageError, match="names no folder in memory"):
        secretfolder.folder_of({secretfolder.VARIABLE: str(tmp_path)}, "shop")
    monkeypatch.setattr(secretfolder, "_SHARED", str(tmp_path))
    assert secretfolder.folder_of({"XDG_RUNTIME_DIR": str(tmp_path)}, "shop-nobody-has") is None


def test_what_a_run_holds_is_not_tidied_up(environ: dict[str, str]) -> None:
    folder = folder_of(environ)
    secretfolder.make(folder, FILES, {"app": "first"})
    with secretfolder.held(folder):
        secretfolder.forget(environ, "shop")
        assert folder.is_dir()
        with pytest.raises(LockedError), secretfolder.held(folder):
            pytest.fail("two runs hold it")
        with pytest.raises(LockedError, match="in use by another run"):
            secretfolder.remove(environ, "shop")
        assert secretfolder.names(environ, "shop")
    secretfolder.forget(environ, "shop")
    assert not folder.exists()


def test_a_crash_between_files_counts_as_none_of_them(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_of(environ)
    secretfolder.make(folder, FILES, {"app": "first"})
    others = [SecretFile("app", "pw", Secret("new")), SecretFile("app", "key", Secret("new"))]

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("os.fchmod", crash)
        with pytest.raises(KeyboardInterrupt):
            secretfolder.make(folder, others, {"app": "second"})
    assert (folder / "files/app/pw").read_text() == "one"
    assert secretfolder.generation(folder, "app", others) == ""
    secretfolder.make(folder, others, {"app": "third"})
    assert secretfolder.generation(folder, "app", others) == "third"
    assert {path.name for path in folder.iterdir()} == {"files", "generations"}


@pytest.mark.parametrize(
    ("told", "ours"),
    [
        ('mounting "/dev/shm/hullwright-0/shop/files/app/pw": no such file or directory', True),
        ('mounting "/dev/shm/hullwright-0/shop/files/app/pw": permission denied', False),
        ('mounting "/srv/shop/files/app/pw": no such file or directory', False),
    ],
)
def test_the_engine_tells_of_a_file_that_is_gone(told: str, *, ours: bool) -> None:
    assert secretfolder.is_of_a_file(told) is ours


def test_what_stands_in_the_files_is_told_as_secrets(environ: dict[str, str]) -> None:
    folder = folder_of(environ)
    assert secretfolder.contents(environ, "shop") == set()
    secretfolder.make(folder, FILES, {"app": "first"})
    (folder / "files/app/binary").write_bytes(b"\xff\xfe")
    assert secretfolder.contents(environ, "shop") == {Secret("one"), Secret("two")}


def test_what_fails_while_the_files_are_held_is_told_as_it_is(environ: dict[str, str]) -> None:
    with pytest.raises(BlockingIOError), secretfolder.held(folder_of(environ)):
        raise BlockingIOError
