"""Keys are opened before anything is built, and what is signed is not signed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullwright.errors import ExitCode, UnavailableError, UsageError
from hullwright.outcome import Result
from hullwright.push.checking import Checked
from hullwright.push.signing import Signer, sign, signer
from hullwright.tools.cosign import SigningKey
from replaying import Replay, workspace

from .conftest import API, content

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.workspace import Workspace

PUBLIC = "-----BEGIN PUBLIC KEY-----\nMFk\n-----END PUBLIC KEY-----\n"
INDEX, AMD = (f"sha256:{letter * 64}" for letter in "ab")
KEY = SigningKey("env://HULLWRIGHT_SIGNING_KEY")
SIGNER = Signer("env:RELEASE_KEY", KEY, PUBLIC)
IMAGE = Checked(content(INDEX), "application/vnd.oci.image.index.v1+json", {"linux/amd64": AMD})


def answering(root: Path, **answers: Result) -> Workspace:
    """Return a repository with a cosign that answers; by its verbs, `_` for `-`."""
    program = root / "cosign"
    program.write_text("")
    program.chmod(0o755)
    results: dict[tuple[str, ...], Result] = {
        ("cosign", "sign", "--help"): Result(("cosign",), 0),
        ("docker", "info"): Result(("docker",), 0, "null"),
        **{("cosign", verb.replace("_", "-")): said for verb, said in answers.items()},
    }
    return workspace(root, runner=Replay({"PATH": str(root)}, results=results))


def words(ws: Workspace) -> list[str]:
    """Return the verbs and references that cosign was called with."""
    assert isinstance(ws.runner, Replay)
    calls = [call.argv for call in ws.runner.calls if call.argv[0] == "cosign"]
    return [f"{argv[1]} {argv[-1].rpartition('@')[2]}" for argv in calls if argv[2] != "--help"]


def test_a_key_that_opens_is_known_by_its_public_half(tmp_path: Path) -> None:
    ws = answering(tmp_path, public_key=Result(("cosign",), 0, PUBLIC))
    assert signer(ws, "env:RELEASE_KEY", KEY) == SIGNER


def test_a_key_that_does_not_open_is_a_mistake_and_a_service_that_is_away_is_none(
    tmp_path: Path,
) -> None:
    failed = Result(("cosign",), 1, "", "Error: decrypt: decryption failed")
    ws = answering(tmp_path, public_key=failed)
    with pytest.raises(UsageError) as wrong:
        signer(ws, "deploy/cosign.key", KEY)
    assert wrong.value.exit_code == ExitCode.USAGE
    assert wrong.value.lines() == [
        "the key that signs cannot be opened",
        "  key     deploy/cosign.key",
        "  cosign  decrypt: decryption failed",
        (
            "  next    COSIGN_PASSWORD is its password, in the environment or as a key of the "
            "secrets file; a new key is made by: cosign generate-key-pair"
        ),
    ]
    with pytest.raises(UnavailableError, match="the key that signs cannot be had") as away:
        signer(ws, "awskms://key", SigningKey("awskms://key"))
    assert away.value.exit_code == ExitCode.UNAVAILABLE


def test_a_key_whose_file_is_missing_is_told_by_its_path(tmp_path: Path) -> None:
    ws = answering(tmp_path, public_key=Result(("cosign",), 1, "", "Error: open cosign.key"))
    with pytest.raises(UsageError) as caught:
        signer(ws, "cosign.key", SigningKey(str(tmp_path / "cosign.key")))
    assert caught.value.lines() == [
        "there is no file cosign.key to sign with",
        "  why   [signing] key names a file from the repository's top folder, or env:NAME",
        "  next  correct [signing] key; a new key is made by: cosign generate-key-pair",
    ]


def test_an_image_is_signed_once_though_two_stages_share_it(tmp_path: Path) -> None:
    ws = answering(tmp_path, verify=Result(("cosign",), 10), sign=Result(("cosign",), 0))
    (done,) = sign(ws, SIGNER, [IMAGE, IMAGE])
    assert (done.reference, done.key, done.already) == (f"{API}@{INDEX}", SIGNER.name, False)
    assert words(ws) == [f"verify {INDEX}", f"sign {INDEX}"]


def test_what_is_signed_with_all_of_its_platforms_is_left_alone(tmp_path: Path) -> None:
    ws = answering(tmp_path, verify=Result(("cosign",), 0))
    (done,) = sign(ws, SIGNER, [IMAGE])
    assert done.already
    assert words(ws) == [f"verify {INDEX}", f"verify {AMD}"]


def test_a_signature_that_fails_says_that_no_tag_was_changed(tmp_path: Path) -> None:
    failed = Result(("cosign",), 1, "", "Error: PUT: denied")
    ws = answering(tmp_path, verify=Result(("cosign",), 10), sign=failed)
    with pytest.raises(UnavailableError) as caught:
        sign(ws, SIGNER, [IMAGE])
    assert caught.value.exit_code == ExitCode.UNAVAILABLE
    assert caught.value.lines()[:4] == [
        "api production could not be signed, so no release tag was changed",
        f"  image   {API}@{INDEX}",
        "  key     env:RELEASE_KEY",
        "  cosign  PUT: denied",
    ]


def test_nothing_to_sign_asks_nobody(tmp_path: Path) -> None:
    ws = answering(tmp_path)
    assert sign(ws, SIGNER, []) == ()
    assert words(ws) == []
