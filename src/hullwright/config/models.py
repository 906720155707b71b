"""The configuration as frozen values; every key of the contract has its field here.

Times are `timedelta`, sizes are bytes, paths are relative to the repository's root as written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from hullwright.images import Platform

Metric = Literal["compressed", "unpacked", "visible", "layers"]
Origin = Literal["command line", "environment", "file", "default"]


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit on one figure of a service's image, for each platform.

    Attributes:
        metric: the figure that is limited; `layers` is a count, all others are bytes.
        soft: above this a warning is given.
        hard: above this the check fails.
        own_growth: what a change may add over the reference, the base's part left out.
    """

    metric: Metric
    soft: int | None = None
    hard: int | None = None
    own_growth: int | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A thing that is built: one Dockerfile and the stages of it that people ask for.

    Attributes:
        name: how tasks name it.
        context: build context, relative to the root.
        dockerfile: path relative to the root.
        targets: stages that may be built; empty means the last stage, under no name.
        image: repository part of the reference, without the registry.
        tag_prefix: what stands before the version in this service's Git tags.
        paths: paths that belong to it; empty means its whole repository.
        platforms: empty means the platforms of the configuration.
        build_args: arguments that are always given.
        budgets: limits on its image.
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
    budgets: tuple[Budget, ...] = ()

    @property
    def default_target(self) -> str:
        """The stage that is built when none is asked for: `production`, else the last listed."""
        if not self.targets or "production" in self.targets:
            return "production" if self.targets else ""
        return self.targets[-1]


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
    """

    name: str
    files: tuple[str, ...]
    profiles: tuple[str, ...] = ()
    cold_start_budget: timedelta | None = None
    require_healthcheck: bool = True
    timeout: timedelta | None = None


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
    """

    file: str = ".env.sops.yaml"
    public: tuple[str, ...] = ()
    development_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Build:
    """How images are built.

    Attributes:
        jobs: builds in flight; 0 leaves it to BuildKit.
        ca_bundle: certificate bundle that builds get as the secret `ca-bundle`.
        mirror: registry that is asked before the one that a reference names.
    """

    jobs: int = 0
    ca_bundle: str = ""
    mirror: str = ""


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
        hooks: commands by event, such as `before-build`; argument lists after shell-like splitting.
        origins: where each value came from: a file's name, a variable's name, or `default`, by
            key path; a key that is missing here has its default.
    """

    project: str
    registry: str = ""
    platforms: tuple[Platform, ...] = ()
    services: Mapping[str, Service] = field(default_factory=dict)
    stacks: Mapping[str, Stack] = field(default_factory=dict)
    environments: Mapping[str, Environment] = field(default_factory=dict)
    secrets: Secrets = field(default_factory=Secrets)
    build: Build = field(default_factory=Build)
    history: History = field(default_factory=History)
    hooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
