"""Logins of image registries, in the stores where Docker keeps them.

They are read as the Docker client reads them, so that what may `docker push` may do here too:
https://docs.docker.com/reference/cli/docker/login/#credential-stores. They are written by the
client itself: nothing of ours ever holds a password on disk.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import UnavailableError, UsageError
from hullwright.images import Reference
from hullwright.pasting import pasted
from hullwright.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hullwright.outcome import Result
    from hullwright.run import Runner

_DEFAULT_DOMAIN: Final = Reference.parse("default").domain
# Docker's own registry has kept the name of its first interface in every store.
_DEFAULT_KEYS: Final = ("https://index.docker.io/v1/", "index.docker.io", "docker.io")
_TIMEOUT_S: Final = 30.0
# Protocol of https://github.com/docker/docker-credential-helpers
_NONE_FOUND: Final = "credentials not found"
_TOKEN_USER: Final = "<token>"  # noqa: S105  the name by which helpers tell of a token


@dataclass(frozen=True, slots=True)
class Credential:
    """A login of one registry.

    Attributes:
        username: empty with an identity token.
        password: of the user, or a token that stands for it.
        identity_token: what the registry's token server gives other tokens for; None without.
    """

    username: str
    password: Secret
    identity_token: Secret | None = None


@dataclass(frozen=True, slots=True)
class Store:
    """Where Docker keeps the login of a registry: a helper program, or its own file."""

    file: Path
    helper: str = ""
    option: str = ""

    def __str__(self) -> str:
        return f"docker-credential-{self.helper}" if self.helper else f"{self.file}"


def stored(runner: Runner, environ: Mapping[str, str], domain: str) -> Credential | None:
    """Return the login of a registry as Docker would use it, or None where there is none.

    What it holds is added to the runner's secrets.

    Raises:
        UsageError: Docker's file of logins cannot be read.
        UnavailableError: the program that keeps them is missing, or fails.
    """
    given = environ.get("DOCKER_AUTH_CONFIG")
    found = None
    if given:
        found = _from_auths(_parsed(given, "$DOCKER_AUTH_CONFIG"), domain)
    if found is None:
        store, config = _store(environ, domain)
        found = _asked(runner, store, domain) if store.helper else _from_auths(config, domain)
    if found is not None:
        runner.secrets.update(filter(None, (found.password, found.identity_token)))
    return found


def store(environ: Mapping[str, str], domain: str) -> Store:
    """Return where Docker keeps the login of a registry.

    Raises:
        UsageError: Docker's file of logins cannot be read.
    """
    return _store(environ, domain)[0]


def domain_of(text: str) -> str:
    """Return the host of a registry that was written with or without a path, as people do.

    Raises:
        UsageError: it names none.
    """
    host = text.strip().partition("/")[0]
    if host in _DEFAULT_KEYS or text == _DEFAULT_KEYS[0]:
        return _DEFAULT_DOMAIN
    domain = _DEFAULT_DOMAIN if "://" in text else Reference.parse(f"{host}/name").domain
    # A word without a dot or a port is no host, but a namespace of Docker's own registry.
    if domain == _DEFAULT_DOMAIN:
        raise UsageError(
            f'"{text}" is not the address of a registry',
            why="expected a host such as registry.example.com, 127.0.0.1:5000 or docker.io",
        )
    return domain


def login(runner: Runner, domain: str, username: str, password: Secret) -> Result:
    """Return what `docker login` says; the password goes through its standard input only."""
    runner.secrets.add(password)
    argv = ("docker", "login", "--username", username, "--password-stdin", *_server(domain))
    # Told of without its standard input: a short password would not be masked in it.
    if runner.echo is not None:
        runner.echo(pasted(argv))
    return replace(runner, echo=None).run(*argv, stdin=password.reveal(), check=False)


def logout(runner: Runner, domain: str) -> Result:
    """Return what `docker logout` says; it ends with 0 where there was no login, too."""
    return runner.run("docker", "logout", *_server(domain), check=False)


def _server(domain: str) -> tuple[str, ...]:
    return () if domain == _DEFAULT_DOMAIN else (domain,)


def _keys(domain: str) -> tuple[str, ...]:
    return _DEFAULT_KEYS if domain == _DEFAULT_DOMAIN else (domain,)


def _store(environ: Mapping[str, str], domain: str) -> tuple[Store, Mapping[str, Any]]:
    folder = environ.get("DOCKER_CONFIG") or str(Path(environ.get("HOME", "/")) / ".docker")
    file = Path(folder) / "config.json"
    try:
        config = _parsed(file.read_text(encoding="utf-8"), f"{file}")
    except (FileNotFoundError, NotADirectoryError):
        return Store(file), {}
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{file} cannot be read", why=why or f"{error}") from None
    helpers = _table(config, "credHelpers")
    for key in _keys(domain):
        if helpers.get(key):
            return Store(file, f"{helpers[key]}", f'credHelpers of "{key}"'), config
    general = config.get("credsStore")
    return (Store(file, f"{general}", "credsStore") if general else Store(file)), config


def _parsed(text: str, name: str) -> Mapping[str, Any]:
    try:
        config = json.loads(text or "{}")
    except ValueError as error:
        raise UsageError(f"{name} is not JSON", why=f"{error}") from None
    if not isinstance(config, dict):
        raise UsageError(f"{name} is not a table of Docker's settings")
    return config


def _table(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = config.get(name)
    return value if isinstance(value, dict) else {}


def _from_auths(config: Mapping[str, Any], domain: str) -> Credential | None:
    auths = _table(config, "auths")
    entry = next((auths[key] for key in _matching(auths, domain)), None)
    if not isinstance(entry, dict):
        return None
    username, password = f"{entry.get('username') or ''}", f"{entry.get('password') or ''}"
    try:
        decoded = base64.b64decode(entry.get("auth") or "").decode("utf-8")
    except (binascii.Error, ValueError, TypeError):
        decoded = ""
    if ":" in decoded:
        username, _, password = decoded.partition(":")
        password = password.strip("\0")
    token = entry.get("identitytoken")
    if token:
        return Credential("", Secret(""), Secret(f"{token}"))
    return Credential(username, Secret(password)) if username and password else None


def _matching(auths: Mapping[str, Any], domain: str) -> Iterable[str]:
    """Yield the entries of a registry: its own name first, then addresses with its host."""
    yield from (key for key in _keys(domain) if key in auths)
    yield from (key for key in auths if key.split("://")[-1].split("/")[0] == domain)


def _asked(runner: Runner, store: Store, domain: str) -> Credential | None:
    """Return what a credential helper keeps; it gets the registry's name on standard input."""
    if runner.find(f"{store}") is None:
        raise UnavailableError(
            f"{store}, which keeps the login of {domain}, is not on PATH",
            why=[("named by", f"{store.option} in {store.file}")],
            next_step=f"install it, or take it out of that file and: {_login_line(domain)}",
        )
    for key in _keys(domain):
        answer = runner.read(f"{store}", "get", stdin=key, timeout_s=_TIMEOUT_S, check=False)
        if answer.ok:
            return _told(store, domain, answer)
        if _NONE_FOUND not in answer.stdout + answer.stderr:
            raise _failed(store, domain, "\n".join(answer.tail(3)) or f"exit {answer.returncode}")
    return None


def _told(store: Store, domain: str, answer: Result) -> Credential | None:
    try:
        entry = json.loads(answer.stdout)
        username, secret = f"{entry['Username']}", f"{entry['Secret']}"
    except (ValueError, KeyError, TypeError):
        # Whatever it printed may hold the secret, so none of it is shown.
        raise _failed(store, domain, "its answer is not that of a credential helper") from None
    if username == _TOKEN_USER:
        return Credential("", Secret(""), Secret(secret))
    return Credential(username, Secret(secret)) if username and secret else None


def _failed(store: Store, domain: str, words: str) -> UnavailableError:
    return UnavailableError(
        f"{store} did not give the login of {domain}",
        why=[("said", words), ("named by", f"{store.option} in {store.file}")],
        next_step=f"unlock or repair it, or: {_login_line(domain)}",
    )


def _login_line(domain: str) -> str:
    return f"invoke login --registry {domain} --username NAME"
