"""The key that a push signs with: a file, a service's, or one of the secrets file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hullwright.push.signing import Signer
    from hullwright.secret import Secret
    from hullwright.tasks.session import Session

_NAMED: Final = "env:"


def signer_of(session: Session) -> Signer | None:
    """Return the key that signs what is pushed, opened; None where nothing is signed.

    Raises:
        UnavailableError: cosign is missing, or a service of keys does not answer.
        UsageError: there is no such key, or it cannot be opened.
    """
    name = session.config.signing.key
    if not name:
        return None
    from hullwright.push.signing import signer
    from hullwright.tools import cosign

    # Before secrets are decrypted, which may ask a person for something.
    cosign.require(session.runner, "[signing] key says that what is pushed is to be signed")
    env = _password(session) if "://" not in name else {}
    if name.startswith(_NAMED) and "://" not in name:
        env[cosign.KEY_VARIABLE] = _value(session, name.removeprefix(_NAMED))
        return signer(session.workspace, name, cosign.SigningKey(cosign.KEY_FROM_ENVIRONMENT, env))
    key = name if "://" in name else str(session.root / name)
    return signer(session.workspace, name, cosign.SigningKey(key, env))


def _password(session: Session) -> dict[str, Secret | str]:
    from hullwright.tools.cosign import PASSWORD_VARIABLE

    if PASSWORD_VARIABLE in session.environ:
        return {}
    # A key without a password has the empty one; without the variable cosign would ask a person.
    return {PASSWORD_VARIABLE: session.secrets().get(PASSWORD_VARIABLE, "")}


def _value(session: Session, name: str) -> Secret:
    from hullwright.errors import UsageError
    from hullwright.secret import Secret

    given = session.environ.get(name)
    found = Secret(given) if given else session.secrets().get(name)
    if found is None:
        raise UsageError(
            f"there is no key {name} to sign with",
            why=[
                ("[signing] key", f"{_NAMED}{name}"),
                ("looked for", f"the variable {name}, and a key {name} of the secrets file"),
            ],
            next_step="cosign generate-key-pair, then put the content of cosign.key there: "
            f"invoke secrets.set --key {name} <cosign.key",
        )
    session.runner.secrets.add(found)
    return found
