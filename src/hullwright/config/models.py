"""The configuration as frozen values; every key of the contract has its field here.

Times are `timedelta`, sizes are bytes, paths are relative to the repository's root as written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from hullwright.images import Platform

Metric = Literal["compressed", "unpacked", "visible", "layers"]
TagType = Literal["schedule", "semver", "pep440", "match", "edge", "ref", "raw", "sha", "version"]
Created = Literal["commit", "now"]
Latest = Literal["auto", "true", "false", "always"]
Driver = Literal["docker-container", "remote", "kubernetes"]
CheckType = Literal["http", "tcp", "command", "logs", "migrations"]


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit on one figure of a service's image, for each platform or for one.

    Attributes:
        metric: the figure that is limited; `layers` is a count, all others are bytes.
        soft: above this a warning is given.
        hard: above this the check fails.
        own_growth: what a change may add over the reference, the base's part left out.
        platform: for which alone it holds, in place of those of all platforms; empty for all.
    """

    metric: Metric
    soft: int | None = None
    hard: int | None = None
    own_growth: int | None = None
    platform: str = ""


@dataclass(frozen=True, slots=True)
class TagRule:
    """A rule that gives images a tag.

    Attributes:
        type: what the tag is made of.
        priority: higher ones come first; None is the type's own.
        enable: whether it applies; an expression, empty for always.
        attributes: what else is written in the rule, by its key: `pattern`, `prefix`, `value`, …
    """

    type: TagType
    priority: int | None = None
    enable: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TagFlavor:
    """What holds for every tag of a service.

    Attributes:
        latest: `auto` adds the tag `latest` where the primary tag comes of a Git tag, `true`
            everywhere, `false` nowhere; these move tags forward only. `always` is `auto` that
            also moves `latest`, major and minor tags back.
        prefix, suffix: stand around each tag whose rule has none of its own.
        prefix_on_latest, suffix_on_latest: whether they stand around `latest`, too.
    """

    latest: Latest = "auto"
    prefix: str = ""
    suffix: str = ""
    prefix_on_latest: bool = False
    suffix_on_latest: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """A thing that is built: one Dockerfile and the stages of it that people ask for.

    Attributes:
        name: how tasks name it.
        context: build context, relative to the root.
        dockerfile: path relative to the root.
        targets: stages that may be built; empty means the last stage, under no name. A last
            stage that has no name beside others that have one is listed as an empty string.
        image: repository part of the reference, without the registry.
        tag_prefix: what stands before the version in this service's Git tags.
        paths: paths that belong to it; empty means its whole repository.
        platforms: empty means the platforms of the configuration.
        build_args: arguments that are always given.
        secrets: where a build's secrets come from, by the id under which it gets them: `env:NAME`,
            `file:PATH`, or a key of the secrets file.
        ssh: agents and keys that a build may use, as bake has them: `default`, `id=PATH`.
        contexts: what names of images in its Dockerfile stand for: `service:NAME` for a sibling's
            image, `docker-image://REFERENCE`, an address, or a folder relative to the root.
        cache: where its layers are kept; empty means what the configuration says.
        extra: other attributes of its bake target, from a bake file of the repository.
        budgets: limits on its image.
        tags: rules of its own; empty means those of the configuration.
        tags_flavor: what holds for all of its tags; None means what the configuration says.
        labels: labels of its image; they win over those of the configuration.
        version_command: what its image is asked for its version, as an argument list.
        go_package: package whose variables `version`, `commit` and `date` a Go build sets; empty
            means `main`.
        helper: whether it is only there for others that are built on it; it is built for them,
            and for itself only where it is named.
        reproducible: whether its image must come out the same, bit for bit, whenever and wherever
            it is built; None means what the configuration says.
    """

    name: str
    context: str = "."
    dockerfile: str = "Dockerfile"
    targets: tuple[str, ...] = ()
    image: str = ""
    tag_prefix: str = "v"
    paths: tuple[str, ...] = ()
    platforms: tuple[Platform, ...] = ()
    build_args: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    ssh: tuple[str, ...] = ()
    contexts: Mapping[str, str] = field(default_factory=dict)
    cache: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    budgets: tuple[Budget, ...] = ()
    tags: tuple[TagRule, ...] = ()
    tags_flavor: TagFlavor | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    version_command: tuple[str, ...] = ()
    go_package: str = ""
    helper: bool = False
    reproducible: bool | None = None

    @property
    def default_target(self) -> str:
        """The stage that is built when none is asked for: `production`, else the last listed."""
        if not self.targets or "production" in self.targets:
            return "production" if self.targets else ""
        return self.targets[-1]


@dataclass(frozen=True, slots=True)
class Check:
    """What must hold of a service once its stack is up.

    Attributes:
        type: how it is looked at: a request, a connection, a command in its container, its logs,
            or whether its migrations are at head.
        service: the compose service.
        name: what it is called; empty for words made of the rest.
        port: port in the container, of `http` and `tcp`; None for the only one that it listens on.
        path: what `http` asks for.
        status: what `http` must answer.
        body: regular expression that the answer of `http` must hold; empty for any.
        command: of `command`, as an argument list; it must end with 0.
        current, head: of `migrations`: commands that print the revisions that the database has,
            and those that the program wants; empty for Alembic's.
        contains: regular expression that a line of `logs` must hold; empty for any line.
        within: how long it may take until it holds; None for the default.
    """

    type: CheckType
    service: str
    name: str = ""
    port: int | None = None
    path: str = "/"
    status: int = 200
    body: str = ""
    command: tuple[str, ...] = ()
    current: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    contains: str = ""
    within: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Stack:
    """A thing that is started: compose files, and how they are meant to be.

    Attributes:
        name: how tasks name it.
        files: compose files, relative to the root, in the order in which they override.
        profiles: compose profiles that are on.
        cold_start_budget: longest cold start that is accepted; None is no limit.
        require_healthcheck: whether a service without a health check fails a cold start.
        timeout: longest wait for the whole stack.
        timeouts: longest time from the start of a compose service until it is ready, by its name.
        one_shots: compose services that are done when they have ended with 0.
        checks: what must hold once it is up.
        environment: the environment whose secrets it gets; empty for the development ones.
    """

    name: str
    files: tuple[str, ...]
    profiles: tuple[str, ...] = ()
    cold_start_budget: timedelta | None = None
    require_healthcheck: bool = True
    timeout: timedelta | None = None
    timeouts: Mapping[str, timedelta] = field(default_factory=dict)
    one_shots: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    environment: str = ""


@dataclass(frozen=True, slots=True)
class Environment:
    """A place where a stack runs.

    Attributes:
        name: what `--env` takes.
        production: refuses secrets that the development key can decrypt.
        secrets: encrypted file; default `deploy/environments/NAME.sops.yaml`.
        stack: the stack that runs there.
    """

    name: str
    production: bool = False
    secrets: str = ""
    stack: str = "default"


@dataclass(frozen=True, slots=True)
class Secrets:
    """Where secrets are kept.

    Attributes:
        file: encrypted file of the development environment.
        public: keys of that file whose values are no secrets, and are not redacted.
        development_keys: age recipients that are for development only.
        min_length: characters that a variable's value has at least where an environment is one of
            production.
    """

    file: str = ".env.sops.yaml"
    public: tuple[str, ...] = ()
    development_keys: tuple[str, ...] = ()
    min_length: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Build:
    """How images are built.

    Attributes:
        jobs: builds in flight; 0 leaves it to BuildKit.
        cache: where layers are kept between machines: `registry`, `local`, `inline`, `gha`, each
            with a scope of every service and target, or as BuildKit writes it (`type=registry,…`).
        allow_args: build arguments whose names look like a secret's, and are none.
        local_tags: further tags of an image in the local store; `{service}` and `{target}` stand
            for its own.
        attestations: what is attached to pushed images.
        ca_bundle: certificate bundle that builds get as the secret `ca-bundle`.
        mirror: registry that is asked before the one that a reference names.
        created: whether an image is said to be created when its commit was, or now.
        builder: the entry of `builders` that builds; empty means the engine's own.
        reproducible: whether images must come out the same whenever and wherever they are built.
        sbom_generator: image that lists the packages of an image for its SBOM; empty means
            BuildKit's default one.
    """

    jobs: int = 0
    cache: tuple[str, ...] = ()
    allow_args: tuple[str, ...] = ()
    local_tags: tuple[str, ...] = ()
    attestations: tuple[str, ...] = ()
    ca_bundle: str = ""
    mirror: str = ""
    created: Created = "commit"
    builder: str = ""
    reproducible: bool = False
    sbom_generator: str = ""


@dataclass(frozen=True, slots=True)
class Signing:
    """How images are signed, and whose signatures are trusted.

    Attributes:
        key: what `cosign sign --key` takes: a file, an address of a key service, or `env:NAME`
            for a key of the secrets file; empty where images are not signed.
        trusted: public keys as `cosign verify --key` takes them; one of them must have signed
            what is pulled. Empty where nothing is verified.
    """

    key: str = ""
    trusted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Push:
    """What must hold before an image gets its release tags.

    Attributes:
        gates: commands, as argument lists, that get the digests.
    """

    gates: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """One endpoint of a builder.

    Attributes:
        endpoint: where it answers, such as `tcp://build-1:1234`.
        platforms: what it builds; empty means what it says of itself.
        ca: certificate of the authority that signed its certificate; with `cert` and `key`, paths.
    """

    endpoint: str
    platforms: tuple[Platform, ...] = ()
    ca: str = ""
    cert: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Builder:
    """A BuildKit instance.

    Attributes:
        name: how tasks name it.
        driver: how it runs.
        nodes: its endpoints.
        required: whether builds fail where none of them can be reached.
    """

    name: str
    driver: Driver = "docker-container"
    nodes: tuple[Node, ...] = ()
    required: bool = True


@dataclass(frozen=True, slots=True)
class History:
    """Where records go besides the embedded file.

    Attributes:
        path: the embedded SQLite file, relative to the root.
        url: a dashboard's address; empty for none.
        token: key, in the secrets file, of the token that the dashboard asks for.
    """

    path: str = ".hullwright/history.sqlite"
    url: str = ""
    token: str = "HISTORY_TOKEN"  # noqa: S105  the name of a key, not a token


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration of one repository.

    Attributes:
        project: the name of the project; default the repository's folder.
        registry: prefix of every image reference; empty where images stay local.
        platforms: platforms that are built; empty means this machine's.
        services: what is built, by name.
        stacks: what is started, by name.
        environments: where stacks run, by name.
        tags: rules of every service that has none of its own; empty means the default set.
        tags_flavor: what holds for the tags of every service that says nothing of its own.
        labels: labels of every image, such as who maintains it.
        signing: how images are signed, and whose signatures are trusted.
        builders: BuildKit instances, by name.
        hooks: commands by event, such as `before-build`; argument lists after shell-like splitting.
        origins: where each value came from, by key path: a file's name, a variable's name,
            `command line`, or that it was found. A key that is missing here has its default.
    """

    project: str
    registry: str = ""
    platforms: tuple[Platform, ...] = ()
    services: Mapping[str, Service] = field(default_factory=dict)
    stacks: Mapping[str, Stack] = field(default_factory=dict)
    environments: Mapping[str, Environment] = field(default_factory=dict)
    secrets: Secrets = field(default_factory=Secrets)
    build: Build = field(default_factory=Build)
    push: Push = field(default_factory=Push)
    signing: Signing = field(default_factory=Signing)
    tags: tuple[TagRule, ...] = ()
    tags_flavor: TagFlavor = field(default_factory=TagFlavor)
    labels: Mapping[str, str] = field(default_factory=dict)
    builders: Mapping[str, Builder] = field(default_factory=dict)
    history: History = field(default_factory=History)
    hooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
