"""cosign: signs images by digest, and says who signed one; its argument lists and exit codes.

Nothing of it goes to a public transparency log: a private registry's digests are nobody's business,
and a build machine may have no way there. So a key, and no identity of the web, is what counts.
Keys reach it by the environment, never by an argument.
Source of the exit codes: https://github.com/sigstore/cosign, cmd/cosign/errors/exit_codes.go
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from hullwright.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.outcome import Result
    from hullwright.run import Runner
    from hullwright.secret import Secret

PROGRAM: Final = "cosign"
# Where the key of a run stands in cosign's environment, and the words that make it look there.
KEY_VARIABLE: Final = "HULLWRIGHT_SIGNING_KEY"
KEY_FROM_ENVIRONMENT: Final = f"env://{KEY_VARIABLE}"
PASSWORD_VARIABLE: Final = "COSIGN_PASSWORD"  # noqa: S105  the name of a variable
_PUBLIC_VARIABLE: Final = "HULLWRIGHT_PUBLIC_KEY"
_PUBLIC_FROM_ENVIRONMENT: Final = f"env://{_PUBLIC_VARIABLE}"
# Since 3 it takes its services from a list on the web, and stores what versions before cannot read.
_OF_3: Final = "--use-signing-config"
_AS_BEFORE_3: Final = ("--new-bundle-format=false", "--use-signing-config=false")
_PATIENCE_S: Final = 180.0

Verdict = Literal["signed", "unsigned", "other key", "missing", "unknown"]
_VERDICTS: Final[Mapping[int, Verdict]] = {
    0: "signed",
    10: "unsigned",
    11: "missing",
    12: "other key",
}
# Older versions end with 1 for all of these.
_WORDS: Final[tuple[tuple[str, Verdict], ...]] = (
    ("no signatures found", "unsigned"),
    ("no matching signatures", "other key"),
    ("image tag not found", "missing"),
)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key as cosign is told of it.

    Attributes:
        key: for `--key`: a file, `env://NAME`, or the address of a key service.
        env: what stands in its environment besides, such as the key and its password.
    """

    key: str
    env: Mapping[str, Secret | str] = field(default_factory=dict)


def public_key(runner: Runner, key: SigningKey) -> Result:
    """Return what cosign gave: the public half as PEM, if the private one could be opened."""
    argv = (PROGRAM, "public-key", "--key", key.key)
    return runner.read(*argv, env=key.env, timeout_s=_PATIENCE_S, check=False)


def sign(runner: Runner, key: SigningKey, reference: str, transport: tuple[str, ...]) -> Result:
    """Sign an image, and with an index all that it points at; return what cosign gave.

    Args:
        runner: runs it.
        key: signs.
        reference: with a digest.
        transport: words of `transport_words`.
    """
    argv = sign_argv(key.key, reference, transport, of_3=_is_of_3(runner))
    return runner.run(*argv, env=key.env, check=False)


def sign_argv(
    key: str, reference: str, transport: tuple[str, ...], *, of_3: bool
) -> tuple[str, ...]:
    """Return the argument list that signs an image without telling anybody else of it."""
    return (
        *(PROGRAM, "sign", "--yes", "--recursive", "--tlog-upload=false"),
        *(_AS_BEFORE_3 if of_3 else ()),
        *transport,
        *("--key", key, reference),
    )


def verify(runner: Runner, key: str, reference: str, transport: tuple[str, ...]) -> Result:
    """Return what cosign says of an image's signature by a public key.

    Args:
        runner: runs it.
        key: a file, the address of a key service, or the key itself as PEM.
        reference: with a digest.
        transport: words of `transport_words`.
    """
    pem = key.startswith("-----BEGIN")
    argv = verify_argv(_PUBLIC_FROM_ENVIRONMENT if pem else key, reference, transport)
    env = {_PUBLIC_VARIABLE: key} if pem else {}
    return runner.read(*argv, env=env, timeout_s=_PATIENCE_S, check=False)


def verify_argv(key: str, reference: str, transport: tuple[str, ...]) -> tuple[str, ...]:
    """Return the argument list that holds an image's signatures against a key, and no log."""
    return (
        *(PROGRAM, "verify", "--insecure-ignore-tlog=true"),
        *transport,
        *("--key", key, reference),
    )


def verdict(result: Result) -> Verdict:
    """Return what the end of a verification means; `unknown` where it came to none."""
    told = _VERDICTS.get(result.returncode)
    if told is not None:
        return told
    return next((each for words, each in _WORDS if words in result.stderr), "unknown")


def transport_words(*, insecure: bool) -> tuple[str, ...]:
    """Return what lets cosign ask a registry that the engine was told to ask without TLS, too."""
    return ("--allow-insecure-registry", "--allow-http-registry") if insecure else ()


def require(runner: Runner, why: str) -> None:
    """Return where cosign is there.

    Raises:
        UnavailableError: it is not; `why` says what needs it.
    """
    if runner.find(PROGRAM) is None:
        raise UnavailableError(
            f"{PROGRAM} is not on PATH",
            why=why,
            next_step="invoke setup --install   (installs it), "
            "or https://docs.sigstore.dev/cosign/system_config/installation/",
        )


def said(result: Result) -> str:
    """Return the words of cosign for a person: each once, without the warning of every run."""
    lines = (line.removeprefix("Error: ") for line in result.tail(8))
    told = [line for line in lines if line.strip() and not line.startswith(("WARNING:", "Flag "))]
    kept = [line for line in told if not line.startswith("error during command execution: ")]
    return "\n".join(dict.fromkeys(kept or told)) or f"it ended with {result.returncode}"


def _is_of_3(runner: Runner) -> bool:
    # What Debian builds does not know its own version.
    told = runner.read(PROGRAM, "sign", "--help", check=False)
    return _OF_3 in f"{told.stdout}{told.stderr}"
