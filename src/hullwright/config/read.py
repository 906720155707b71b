"""From tables to models: each function reads one table of the contract."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast, get_args
from urllib.parse import urlsplit

from hullwright.config.models import (
    Budget,
    Build,
    Builder,
    Created,
    Driver,
    Environment,
    History,
    Metric,
    Node,
    Push,
    Secrets,
    Service,
    Signing,
)
from hullwright.config.tags import read_flavor, read_tags
from hullwright.errors import UsageError, suggestion
from hullwright.images import Platform, Reference, parse_size_bytes

if TYPE_CHECKING:
    from hullwright.config.table import Table

# What Compose accepts as the name of a project.
PROJECT: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")
# https://github.com/opencontainers/distribution-spec: the name of a repository.
_REPOSITORY: Final = re.compile(r"[a-z0-9]+(?:[._/-]+[a-z0-9]+)*")
# Only what is run is taken: a hook that never runs is a check that is silently off.
_HOOKED: Final = ("build", "push", "promote", "up", "cold-start")
HOOKS: Final = tuple(f"{when}-{task}" for task in _HOOKED for when in ("before", "after"))
FROM_GIT: Final = tuple(
    f"org.opencontainers.image.{name}" for name in ("version", "revision", "created")
)
OWN_LABELS: Final = "dev.hullwright."
_GO_PACKAGE: Final = re.compile(r"[A-Za-z0-9_.~/-]+")
ATTESTATIONS: Final = ("provenance", "sbom")
CACHES: Final = ("registry", "local", "inline", "gha")
_AGENT: Final = re.compile(r"[^=,\s]+(?:=.+)?")


def read_service(name: str, table: Table) -> Service:
    """Return a service; its image's repository is its name where none is written."""
    context = table.parsed("context", inside, ".")
    service = Service(
        name=name,
        context=context,
        dockerfile=table.parsed("dockerfile", inside, _beside(context)),
        targets=table.texts("targets"),
        image=table.parsed("image", _repository, name.lower()),
        tag_prefix=table.text("tag-prefix", "v"),
        paths=table.texts("paths"),
        platforms=table.each("platforms", Platform.parse),
        build_args=table.mapping("build-args"),
        secrets=_secrets(table),
        ssh=table.each("ssh", _agent),
        contexts=_contexts(table),
        cache=table.each("cache", _cache),
        budgets=tuple(read_budget(inner) for inner in table.tables("budgets")),
        tags=read_tags(table),
        tags_flavor=read_flavor(table),
        labels=read_labels(table),
        version_command=table.command("version-command"),
        go_package=table.parsed("go-package", _go_package, ""),
        reproducible=table.flag("reproducible", default=False)
        if table.has("reproducible")
        else None,
    )
    table.finish()
    return service


def is_own_label(name: str) -> bool:
    """Return whether a label is one that Git or we ourselves say."""
    return name in FROM_GIT or name.startswith(OWN_LABELS)


def read_labels(table: Table) -> dict[str, str]:
    """Return the labels under the key `labels`; what Git or we ourselves say is refused there."""
    labels = table.mapping("labels")
    for name in labels:
        if is_own_label(name):
            whose = "Git" if name in FROM_GIT else "Hullwright"
            table.table("labels").problem(name, f"comes from {whose}, so it cannot be set")
    return labels


def read_budget(table: Table) -> Budget:
    """Return a limit; its figures are counts for `layers`, else sizes."""
    metric = table.one_of("metric", get_args(Metric), "")
    if not metric and not table.has("metric"):
        table.problem("metric", f"missing (one of {', '.join(get_args(Metric))})")
    soft, hard, own_growth = (
        table.whole(key, None) if metric == "layers" else table.parsed(key, parse_size_bytes, None)
        for key in ("soft", "hard", "own-growth")
    )
    if soft is not None and hard is not None and soft > hard:
        table.problem("soft", "above the hard limit, so it would never warn")
    platform = table.parsed("platform", Platform.parse, None)
    table.finish()
    limited = cast("Metric", metric or "unpacked")
    return Budget(limited, soft, hard, own_growth, str(platform or ""))


def read_environment(name: str, table: Table, stack: str) -> Environment:
    """Return an environment; `stack` runs there where none is written."""
    environment = Environment(
        name=name,
        production=table.flag("production", default=False),
        secrets=table.parsed("secrets", inside, f"deploy/environments/{name}.sops.yaml"),
        stack=table.text("stack", stack),
    )
    table.finish()
    return environment


def read_secrets(table: Table) -> Secrets:
    """Return where secrets are kept."""
    secrets = Secrets(
        file=table.parsed("file", inside, Secrets().file),
        public=table.texts("public"),
        development_keys=table.each("development-keys", _age_recipient),
        min_length=table.figures("min-length"),
    )
    table.finish()
    return secrets


def read_build(table: Table) -> Build:
    """Return how images are built."""
    build = Build(
        jobs=table.whole("jobs", 0),
        cache=table.each("cache", _cache),
        allow_args=table.texts("allow-args"),
        local_tags=table.each("local-tags", _local_tag),
        attestations=table.each("attestations", _attestation),
        ca_bundle=table.text("ca-bundle"),
        mirror=table.parsed("mirror", registry, ""),
        created=cast("Created", table.one_of("created", get_args(Created), "commit")),
        builder=table.text("builder"),
        reproducible=table.flag("reproducible", default=False),
        sbom_generator=table.text("sbom-generator"),
    )
    table.finish()
    return build


def read_push(table: Table) -> Push:
    """Return what must hold before a push."""
    gates = table.commands("gates")
    table.finish()
    return Push(gates)


def read_signing(table: Table) -> Signing:
    """Return how images are signed, and whose signatures are trusted."""
    signing = Signing(key=table.parsed("key", _signing_key, ""), trusted=table.texts("trusted"))
    table.finish()
    return signing


def read_history(table: Table) -> History:
    """Return where records go."""
    history = History(
        path=table.parsed("path", inside, History().path),
        url=table.parsed("url", _address, ""),
        token=table.text("token", History().token),
    )
    table.finish()
    return history


def read_hooks(table: Table) -> dict[str, tuple[str, ...]]:
    """Return commands by event."""
    table.asked.extend(HOOKS)
    hooks = {event: table.command(event) for event in table.raw if event in HOOKS}
    table.finish()
    return hooks


def read_builder(name: str, table: Table) -> Builder:
    """Return a builder."""
    driver = table.one_of("driver", get_args(Driver), "docker-container")
    builder = Builder(
        name=name,
        driver=cast("Driver", driver),
        nodes=tuple(_node(inner) for inner in table.tables("nodes")),
        required=table.flag("required", default=True),
    )
    if driver == "remote" and not table.has("nodes"):
        table.problem("nodes", "missing: a remote builder is where its nodes are")
    table.finish()
    return builder


def registry(text: str) -> str:
    """Return a prefix of references: a host or a namespace, without a scheme.

    Raises:
        UsageError: it is none.
    """
    if "://" in text:
        raise UsageError("a registry is written without a scheme", why='such as "ghcr.io/team"')
    try:
        Reference.parse(f"{text}/image")
    except UsageError:
        raise UsageError(
            f'"{text}" is not a registry', why='expected host[:port][/path], such as "ghcr.io/team"'
        ) from None
    return text


def project(text: str) -> str:
    """Return the name of a project.

    Raises:
        UsageError: Compose would refuse it.
    """
    if not PROJECT.fullmatch(text):
        raise UsageError(
            f'"{text}" is no name for a project', why="expected lower case, digits, - and _"
        )
    return text


def _secrets(table: Table) -> dict[str, str]:
    secrets = table.mapping("secrets")
    for name, value in secrets.items():
        kind, colon, rest = value.partition(":")
        if colon and (kind not in {"env", "file"} or not rest):
            table.table("secrets").problem(
                name, f'expected env:NAME, file:PATH or a key of the secrets file, got "{value}"'
            )
    return secrets


def _contexts(table: Table) -> dict[str, str]:
    contexts = table.mapping("contexts")
    for name, value in contexts.items():
        if not value or value in {"service:", "docker-image://"}:
            table.table("contexts").problem(
                name, "expected service:NAME, docker-image://REFERENCE, an address or a folder"
            )
    return contexts


def _agent(text: str) -> str:
    if not _AGENT.fullmatch(text):
        raise UsageError(f'"{text}" is no SSH agent or key', why='expected "default" or id=PATH')
    return text


def _cache(text: str) -> str:
    if text in CACHES or "type=" in text:
        return text
    near = suggestion(text, CACHES) or f" (known: {', '.join(CACHES)}, or type=…)"
    raise UsageError(f'unknown cache "{text}"{near}')


def _local_tag(text: str) -> str:
    filled = text.replace("{service}", "s").replace("{target}", "t")
    try:
        Reference.parse(f"image:{filled}")
    except UsageError:
        raise UsageError(
            f'"{text}" is no tag', why="letters, digits, . _ -, and {service} and {target}"
        ) from None
    return text


def _node(table: Table) -> Node:
    if not table.has("endpoint"):
        table.problem("endpoint", "missing")
    node = Node(
        endpoint=table.text("endpoint"),
        platforms=table.each("platforms", Platform.parse),
        ca=table.text("ca"),
        cert=table.text("cert"),
        key=table.text("key"),
    )
    files = {"ca": node.ca, "cert": node.cert, "key": node.key}
    for name in (name for name, value in files.items() if not value and any(files.values())):
        table.problem(name, "missing: TLS needs ca, cert and key")
    table.finish()
    return node


def _beside(context: str) -> str:
    return "Dockerfile" if context == "." else f"{context.rstrip('/')}/Dockerfile"


def inside(text: str) -> str:
    """Return a path relative to the repository.

    Raises:
        UsageError: it is none.
    """
    if not text or text.startswith(("/", "~")):
        raise UsageError(f'"{text}" is not a path in the repository')
    return text


def _go_package(text: str) -> str:
    if not _GO_PACKAGE.fullmatch(text):
        raise UsageError(f'"{text}" is not the path of a Go package', why='such as "main"')
    return text


def _repository(text: str) -> str:
    if not _REPOSITORY.fullmatch(text):
        raise UsageError(
            f'"{text}" is not a repository',
            why="expected lower case, without registry, tag and digest",
        )
    return text


def _attestation(text: str) -> str:
    if text not in ATTESTATIONS:
        near = suggestion(text, ATTESTATIONS) or f" (known: {', '.join(ATTESTATIONS)})"
        raise UsageError(f'unknown attestation "{text}"{near}')
    return text


def _age_recipient(text: str) -> str:
    if text.startswith("AGE-SECRET-KEY-"):
        raise UsageError("a secret key stands where its public key (age1…) belongs")
    if not text.startswith("age1"):
        raise UsageError(f'"{text}" is not an age recipient', why="expected age1…")
    return text


def _signing_key(text: str) -> str:
    if text == "env:":
        raise UsageError("not a key", why="env: is followed by the name of a variable")
    return text


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        valid = False
    if not valid:
        raise UsageError("not an address", why="expected http://host[:port] or https://…")
    if parts.username or parts.password:
        # The value is not repeated: it holds a password.
        raise UsageError("an address with a password", why="the token has its own key, `token`")
    return text.rstrip("/")
