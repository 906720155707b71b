"""cosign gets exact words, its key by the environment only, and its ends have one meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullwright.errors import ExitCode, UnavailableError
from hullwright.outcome import Result
from hullwright.secret import Secret
from hullwright.tools import cosign
from replaying import Replay

if TYPE_CHECKING:
    from hullwright.tools.cosign import Verdict

_DONE: dict[tuple[str, ...], Result] = {("cosign",): Result(("cosign",), 0)}
REFERENCE = f"registry.example.com/team/api@sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("said", "more"),
    [
        ("--tlog-upload", ()),
        ("--use-signing-config=true", ("--new-bundle-format=false", "--use-signing-config=false")),
    ],
)
def test_an_image_is_signed_without_any_log_and_the_key_is_in_no_word(
    said: str, more: tuple[str, ...]
) -> None:
    help_: dict[tuple[str, ...], Result] = {("cosign", "sign", "--help"): Result((), 0, said)}
    runner = Replay({}, results=help_ | _DONE)
    key = cosign.SigningKey("env://HULLWRIGHT_SIGNING_KEY", {"HULLWRIGHT_SIGNING_KEY": Secret("k")})
    cosign.sign(runner, key, REFERENCE, ())
    call = runner.calls[-1]
    assert call.argv == (
        *("cosign", "sign", "--yes", "--recursive", "--tlog-upload=false"),
        *more,
        *("--key", "env://HULLWRIGHT_SIGNING_KEY", REFERENCE),
    )
    assert call.env == {"HULLWRIGHT_SIGNING_KEY": Secret("k")}


def test_a_registry_without_tls_is_asked_as_the_engine_asks_it() -> None:
    words = cosign.transport_words(insecure=True)
    assert words == ("--allow-insecure-registry", "--allow-http-registry")
    assert cosign.transport_words(insecure=False) == ()
    assert cosign.verify_argv("a.pub", REFERENCE, words) == (
        *("cosign", "verify", "--insecure-ignore-tlog=true", *words, "--key", "a.pub", REFERENCE),
    )


def test_a_key_that_is_given_as_text_goes_by_the_environment() -> None:
    runner = Replay({}, results=_DONE)
    pem = "-----BEGIN PUBLIC KEY-----\nMFk\n-----END PUBLIC KEY-----\n"
    cosign.verify(runner, pem, REFERENCE, ())
    assert runner.calls[0].argv[-3:] == ("--key", "env://HULLWRIGHT_PUBLIC_KEY", REFERENCE)
    assert runner.calls[0].env == {"HULLWRIGHT_PUBLIC_KEY": pem}


@pytest.mark.parametrize(
    ("code", "said", "verdict"),
    [
        (0, "", "signed"),
        (10, "Error: no signatures found", "unsigned"),
        (12, "Error: no matching signatures: invalid signature", "other key"),
        (11, "Error: image tag not found", "missing"),
        (1, "Error: no signatures found", "unsigned"),
        (1, "Error: no matching signatures:", "other key"),
        (1, "Error: dial tcp: connection refused", "unknown"),
    ],
)
def test_an_end_has_one_meaning(code: int, said: str, verdict: Verdict) -> None:
    assert cosign.verdict(Result(("cosign",), code, "", said)) == verdict


def test_what_it_says_is_told_once_and_without_its_usual_warning() -> None:
    told = (
        "WARNING: Skipping tlog verification is an insecure practice.\n"
        "Error: decrypt: decryption failed\n"
        "error during command execution: decrypt: decryption failed\n"
    )
    assert cosign.said(Result(("cosign",), 1, "", told)) == "decrypt: decryption failed"
    assert cosign.said(Result(("cosign",), 3)) == "it ended with 3"


def test_without_cosign_the_error_says_what_needs_it_and_how_to_get_it() -> None:
    with pytest.raises(UnavailableError) as caught:
        cosign.require(Replay({"PATH": "/nowhere", "HOME": "/nowhere"}), "a key is configured")
    assert caught.value.exit_code == ExitCode.UNAVAILABLE
    assert caught.value.lines()[0] == "cosign is not on PATH"
    assert "a key is configured" in str(caught.value)
    assert "invoke setup --install" in str(caught.value)
