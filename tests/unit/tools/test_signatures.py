"""What no trusted key signed is refused by name; what could not be looked at is another failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullwright.config.models import Config, Signing
from hullwright.errors import CheckFailedError, ExitCode, UnavailableError, UsageError
from hullwright.outcome import Result
from hullwright.tools import signatures
from replaying import Replay, workspace

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.workspace import Workspace

API, WEB = (f"127.0.0.1:5000/team/{name}@sha256:{'a' * 64}" for name in ("api", "web"))
PUBLIC = "-----BEGIN PUBLIC KEY-----\nMFk\n-----END PUBLIC KEY-----\n"
WORDS = ("cosign", "verify", "--insecure-ignore-tlog=true", "--key")


def trusting(root: Path, answers: dict[tuple[str, str], int], *keys: str) -> Workspace:
    """Return a repository that trusts keys; `answers` has the end of each key and reference."""
    program = root / "bin" / "cosign"
    program.parent.mkdir(exist_ok=True)
    program.write_text("")
    program.chmod(0o755)
    for key in keys:
        if "://" not in key:
            (root / key).write_text(PUBLIC, encoding="utf-8")
    results: dict[tuple[str, ...], Result] = {
        (*WORDS, key if "://" in key else str(root / key), reference): Result(
            ("cosign",), code, "", f"Error: said {code}"
        )
        for (key, reference), code in answers.items()
    }
    environ = {"PATH": str(program.parent), "HOME": str(root)}
    runner = Replay(environ, results=results)
    return workspace(root, Config("shop", signing=Signing(trusted=keys)), runner)


def test_without_a_trusted_key_nothing_is_verified_and_nothing_is_needed(tmp_path: Path) -> None:
    ws = workspace(tmp_path, Config("shop"), Replay({"PATH": "/nowhere"}))
    assert signatures.verify(ws, [("api", API)]) == ()
    assert signatures.problem(ws, API) == ""


def test_one_of_several_keys_is_enough(tmp_path: Path) -> None:
    ws = trusting(
        tmp_path,
        {("a.pub", API): 12, ("b.pub", API): 0, ("a.pub", WEB): 0},
        *("a.pub", "b.pub"),
    )
    found = signatures.verify(ws, [("api", API), ("web", WEB)])
    assert [(one.reference, one.key) for one in found] == [(API, "b.pub"), (WEB, "a.pub")]
    assert signatures.problem(ws, API) == ""


def test_all_that_is_not_signed_is_named_at_once(tmp_path: Path) -> None:
    ws = trusting(
        tmp_path,
        {("a.pub", API): 10, ("b.pub", API): 12, ("a.pub", WEB): 10, ("b.pub", WEB): 10},
        *("a.pub", "b.pub"),
    )
    with pytest.raises(CheckFailedError) as caught:
        signatures.verify(ws, [("api production", API), ("web production", WEB)])
    assert caught.value.exit_code == ExitCode.FAILED
    assert caught.value.lines() == [
        "2 images are not signed by a key that is trusted, so nothing was fetched",
        f"  api production  {API}",
        "                  it is signed, and by no key that is trusted here",
        f"  web production  {WEB}",
        "                  it is not signed",
        "  trusted         a.pub",
        "                  b.pub",
        (
            "  next            take a release that was pushed with [signing] key, or correct "
            "[signing] trusted"
        ),
    ]
    assert signatures.problem(ws, WEB) == "it is not signed"


def test_a_service_that_does_not_answer_is_no_verdict(tmp_path: Path) -> None:
    ws = trusting(tmp_path, {("awskms://k", API): 1, ("a.pub", API): 10}, "awskms://k", "a.pub")
    with pytest.raises(UnavailableError) as caught:
        signatures.verify(ws, [("api", API)])
    assert caught.value.exit_code == ExitCode.UNAVAILABLE
    assert "awskms://k" in str(caught.value)
    assert "said 1" in str(caught.value)
    assert signatures.problem(ws, API) == "its signature could not be looked at: said 1"


def test_a_key_that_is_not_there_or_is_none_is_a_mistake_of_the_configuration(
    tmp_path: Path,
) -> None:
    ws = trusting(tmp_path, {}, "a.pub", "b.pub")
    (tmp_path / "a.pub").unlink()
    (tmp_path / "b.pub").write_text("ssh-ed25519 AAAA", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        signatures.check_ready(ws)
    assert caught.value.exit_code == ExitCode.USAGE
    assert caught.value.lines()[1:3] == [
        "  a.pub  No such file or directory",
        "  b.pub  it is no public key in PEM form",
    ]


def test_without_cosign_nothing_is_verified(tmp_path: Path) -> None:
    ws = workspace(
        tmp_path, Config("shop", signing=Signing(trusted=("a.pub",))), Replay({"PATH": "/nowhere"})
    )
    with pytest.raises(UnavailableError, match="cosign is not on PATH"):
        signatures.verify(ws, [("api", API)])
    # Who can do without the image does, and says why.
    assert signatures.problem(ws, API) == "cosign is not on PATH"
