"""What a request means: which images, under which names, told before anything is built."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from hullwright import build
from hullwright.build import BuildRequest, SourceVersion
from hullwright.config.models import Build, Config, Service
from hullwright.errors import ExitCode, UsageError
from hullwright.images import Platform
from hullwright.run import Result
from replaying import Replay, workspace

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.build import BuildPlan

VERSION: Final = SourceVersion(
    "1.4.1-0.dev.12+g1a2b3c4",
    "1.4.1-0.dev.12.g1a2b3c4",
    "1a2b3c4" + "0" * 33,
    "2026-11-20T10:00:00Z",
    "https://git.example.com/shop.git",
    {"VERSION": "1.4.1-0.dev.12+g1a2b3c4", "GIT_COMMIT": "1a2b3c4", "BUILD_DATE": "2026"},
)
OCI: Final = "org.opencontainers.image."
DIGEST: Final = f"sha256:{'a' * 64}"
DOCKERFILE: Final = """\
FROM scratch AS base
FROM base AS development
FROM base AS production
ARG VERSION
ARG GIT_COMMIT
"""


class Repository:
    """A folder with Dockerfiles, and the plan of what is asked for in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.services: dict[str, Service] = {}
        self.build = Build()
        self.registry = ""
        self.labels: dict[str, str] = {}
        self.platforms: tuple[Platform, ...] = ()

    def service(self, service: Service, text: str = DOCKERFILE) -> None:
        path = self.root / service.dockerfile
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self.services[service.name] = service

    def plan(self, request: BuildRequest, runner: Replay | None = None) -> BuildPlan:
        config = Config(
            "shop",
            registry=self.registry,
            platforms=self.platforms,
            services=self.services,
            build=self.build,
            labels=self.labels,
        )
        return build.plan(workspace(self.root, config, runner), request, lambda _: VERSION)

    def refused(self, request: BuildRequest) -> UsageError:
        with pytest.raises(UsageError) as raised:
            self.plan(request)
        assert raised.value.exit_code == ExitCode.USAGE
        return raised.value


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Return a repository with one service of three stages."""
    repository = Repository(tmp_path)
    repository.service(Service("api", targets=("development", "production"), image="team/api"))
    return repository


def test_the_default_target_has_the_plain_tag_and_others_name_themselves(
    repository: Repository,
) -> None:
    repository.registry = "registry.example.com/x"
    default = repository.plan(BuildRequest()).targets[0]
    assert default.target == "production"
    assert default.reference == "registry.example.com/x/team/api:1.4.1-0.dev.12.g1a2b3c4"
    other = repository.plan(BuildRequest(target="development")).targets[0]
    assert other.reference == f"{default.reference}-development"


def test_local_tags_name_an_image_beside_its_version(repository: Repository) -> None:
    repository.registry = "registry.example.com/x"
    repository.build = Build(local_tags=("{target}", "{service}-here"))
    (planned,) = repository.plan(BuildRequest()).targets
    team = "registry.example.com/x/team/api"
    assert planned.also == (f"{team}:production", f"{team}:api-here")
    assert f"also as    {team}:production {team}:api-here" in repository.plan(BuildRequest()).text()
    (other,) = repository.plan(BuildRequest(target="development")).targets
    assert other.also == (f"{team}:development", f"{team}:api-here")


def test_an_image_that_goes_elsewhere_or_has_no_stage_gets_no_local_tag(
    repository: Repository,
) -> None:
    repository.build = Build(local_tags=("{target}",))
    (elsewhere,) = repository.plan(BuildRequest(outputs=("type=oci,dest=x.tar",))).targets
    assert elsewhere.also == ()
    repository.service(Service("web", dockerfile="w/Dockerfile"), "FROM scratch\n")
    (last,) = repository.plan(BuildRequest(services=("web",))).targets
    assert last.also == ()


def test_a_helper_is_built_for_others_and_for_itself_where_it_is_named(
    repository: Repository,
) -> None:
    repository.service(Service("base", dockerfile="b/Dockerfile", helper=True), "FROM scratch\n")
    assert [target.service for target in repository.plan(BuildRequest()).targets] == ["api"]
    web = Service("web", dockerfile="w/Dockerfile", contexts={"ours": "service:base"})
    repository.service(web, "FROM ours\n")
    targets = repository.plan(BuildRequest()).targets
    assert {target.service: target.asked for target in targets} == {
        "api": True,
        "base": False,
        "web": True,
    }
    (named,) = repository.plan(BuildRequest(services=("base",))).targets
    assert (named.service, named.asked) == ("base", True)


def test_a_dockerfile_gets_the_arguments_that_it_declares_and_those_that_were_given(
    repository: Repository,
) -> None:
    repository.service(
        Service("web", dockerfile="w/Dockerfile", build_args={"A": "file", "B": "file"}),
        "FROM scratch\n",
    )
    api, web = repository.plan(BuildRequest(build_args={"B": "typed"})).targets
    assert api.bake.arguments == {
        "VERSION": VERSION.version,
        "GIT_COMMIT": "1a2b3c4",
        "B": "typed",
    }
    assert web.bake.arguments == {"A": "file", "B": "typed"}
    assert web.target == ""
    assert web.reference == "web:1.4.1-0.dev.12.g1a2b3c4"


def test_every_image_says_what_it_is(repository: Repository) -> None:
    assert repository.plan(BuildRequest()).targets[0].bake.labels == {
        "org.opencontainers.image.title": "api",
        "org.opencontainers.image.version": VERSION.version,
        "org.opencontainers.image.revision": VERSION.revision,
        "org.opencontainers.image.created": "2026-11-20T10:00:00Z",
        "org.opencontainers.image.url": "https://git.example.com/shop.git",
        "org.opencontainers.image.source": "https://git.example.com/shop.git",
        "dev.hullwright.project": "shop",
        "dev.hullwright.service": "api",
        "dev.hullwright.target": "production",
    }


def test_an_argument_goes_to_stages_that_declare_it_only(repository: Repository) -> None:
    plan = repository.plan(BuildRequest(target="development"))
    assert plan.targets[0].bake.arguments == {}


def test_of_words_about_an_image_the_nearest_counts(repository: Repository) -> None:
    (repository.root / "pyproject.toml").write_text(
        '[project]\nname = "shop"\ndescription = "Sells."\nlicense = { text = "MIT" }\n',
        encoding="utf-8",
    )
    service = Service("web", dockerfile="web/Dockerfile", labels={f"{OCI}vendor": "web's"})
    text = (
        f'FROM scratch\nLABEL {OCI}description="The web." {OCI}version=9 team=web '
        f'{OCI}title="web $VERSION"\n'
    )
    repository.service(service, text)
    repository.labels = {f"{OCI}vendor": "Example", "kept": "yes"}
    api, web = (target.bake.labels for target in repository.plan(BuildRequest()).targets)
    assert (api[f"{OCI}title"], api[f"{OCI}description"]) == ("api", "Sells.")
    assert (api[f"{OCI}licenses"], api[f"{OCI}vendor"]) == ("MIT", "Example")
    assert (api["kept"], web["kept"]) == ("yes", "yes")
    assert (web[f"{OCI}description"], web[f"{OCI}vendor"]) == ("The web.", "web's")
    assert web[f"{OCI}version"] == VERSION.version
    # Only the build knows it, and what the Dockerfile says of others is its own business.
    assert f"{OCI}title" not in web
    assert "team" not in web


@pytest.mark.parametrize(
    "broken", ["[project", 'project = "x"', "[project]\nlicense = { file = 1 }"]
)
def test_a_project_file_that_says_nothing_adds_nothing(repository: Repository, broken: str) -> None:
    (repository.root / "pyproject.toml").write_text(broken, encoding="utf-8")
    labels = repository.plan(BuildRequest()).targets[0].bake.labels
    assert f"{OCI}description" not in labels
    assert f"{OCI}licenses" not in labels


def test_the_base_is_named_in_full_with_its_digest(repository: Repository) -> None:
    pinned = f"ghcr.io/x/y:2@{DIGEST}"
    repository.service(Service("web", dockerfile="w/Dockerfile"), f"FROM {pinned}\n")
    repository.service(Service("job", dockerfile="j/Dockerfile"), "FROM python\n")
    found = {
        "RepoTags": ["python:latest", "other:1"],
        "Descriptor": {"digest": f"sha256:{'b' * 64}"},
    }
    answer = Result((), 0, json.dumps([found]))
    runner = Replay({}, results={("docker", "image", "inspect"): answer})
    _, web, job = (t.bake.labels for t in repository.plan(BuildRequest(), runner).targets)
    assert web[f"{OCI}base.name"] == "ghcr.io/x/y:2"
    assert web[f"{OCI}base.digest"] == DIGEST
    assert job[f"{OCI}base.name"] == "docker.io/library/python:latest"
    assert job[f"{OCI}base.digest"] == f"sha256:{'b' * 64}"
    assert [call.argv for call in runner.calls] == [("docker", "image", "inspect", "python")]


def test_a_base_that_may_be_another_by_then_has_no_digest(repository: Repository) -> None:
    repository.service(Service("job", dockerfile="j/Dockerfile"), "FROM python\n")
    runner = Replay({})
    labels = repository.plan(BuildRequest(pull=True), runner).targets[1].bake.labels
    assert labels[f"{OCI}base.name"] == "docker.io/library/python:latest"
    assert f"{OCI}base.digest" not in labels
    assert runner.calls == []


def test_labels_of_oci_are_annotations_too(repository: Repository) -> None:
    repository.labels = {"kept": "${HOME}", f"{OCI}vendor": "${HOME}, 100 %{x}"}
    one = repository.plan(BuildRequest(platforms=("linux/arm64",))).targets[0].bake
    labels = {f"manifest:{k}={v}" for k, v in one.labels.items() if k.startswith(OCI)}
    assert set(one.annotations) == labels
    assert f"manifest:{OCI}vendor=$${{HOME}}, 100 %%{{x}}" in one.definition()["annotations"]
    both = BuildRequest(platforms=("linux/amd64", "linux/arm64"))
    several = repository.plan(both).targets[0].bake.annotations
    assert set(several) == labels | {f"index:{each.partition(':')[2]}" for each in labels}


@pytest.mark.parametrize("override", ["*.platform=linux/amd64", "api-production.platform=x"])
def test_an_override_that_leaves_one_platform_leaves_no_index(
    repository: Repository, override: str
) -> None:
    request = BuildRequest(platforms=("linux/amd64", "linux/arm64"), set_=(override,))
    annotations = repository.plan(request).targets[0].bake.annotations
    assert annotations
    assert all(each.startswith("manifest:") for each in annotations)


def test_labels_are_known_without_a_build(repository: Repository) -> None:
    planned = repository.plan(BuildRequest()).targets[0].bake.labels
    config = Config("shop", services=repository.services)
    ws = workspace(repository.root, config)
    assert build.labels_of(ws, repository.services["api"], VERSION) == planned


def test_a_dockerfile_is_named_from_its_context(repository: Repository) -> None:
    repository.service(Service("web", context="web", dockerfile="web/Dockerfile"))
    repository.service(Service("job", context="web", dockerfile="docker/job.Dockerfile"))
    _, web, job = repository.plan(BuildRequest()).targets
    assert (web.bake.context, web.bake.dockerfile) == ("web", "Dockerfile")
    assert (job.bake.context, job.bake.dockerfile) == ("web", "../docker/job.Dockerfile")


def test_platforms_are_typed_or_the_services_or_the_configurations(
    repository: Repository,
) -> None:
    repository.platforms = (Platform("linux", "amd64"), Platform("linux", "arm64"))
    repository.service(Service("web", platforms=(Platform("linux", "arm64"),)))
    api, web = repository.plan(BuildRequest()).targets
    assert api.bake.platforms == ("linux/amd64", "linux/arm64")
    assert web.bake.platforms == ("linux/arm64",)
    typed = repository.plan(BuildRequest(platforms=("linux/x86_64", "linux/amd64")))
    assert {target.bake.platforms for target in typed.targets} == {("linux/amd64",)}


def test_certificates_outside_of_the_repository_are_read_by_a_named_permission(
    repository: Repository, tmp_path_factory: pytest.TempPathFactory
) -> None:
    bundle = tmp_path_factory.mktemp("site") / "ca.pem"
    repository.build = Build(ca_bundle=str(bundle))
    assert repository.plan(BuildRequest()).targets[0].bake.secrets == ()
    bundle.write_text("certificates", encoding="utf-8")
    plan = repository.plan(BuildRequest(allow=("network.host",)))
    assert plan.targets[0].bake.secrets == (f"id=ca-bundle,src={bundle}",)
    assert plan.allow == (f"fs.read={bundle}", "network.host")
    assert f"bake is allowed fs.read={bundle}" in plan.text()


def test_a_secret_of_a_service_reaches_bake_by_a_variable(repository: Repository) -> None:
    repository.service(Service("web", secrets={"npm": "NPM_TOKEN"}))
    plan = repository.plan(BuildRequest(services=("web",)))
    assert plan.secret_keys == ("NPM_TOKEN",)
    assert plan.targets[0].bake.secrets == ("id=npm,env=HULLWRIGHT_SECRET_NPM_TOKEN",)


def test_the_definition_is_what_bake_takes(repository: Repository) -> None:
    document = json.loads(repository.plan(BuildRequest()).definition())
    assert list(document["target"]) == ["api-production"]
    assert document["target"]["api-production"]["target"] == "production"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            BuildRequest(services=("ap",)),
            'unknown service "ap" — did you mean "api"?\n  known  api',
        ),
        (
            BuildRequest(target="prodution"),
            'unknown target "prodution" of service api — did you mean "production"?\n  known  ',
        ),
        (
            BuildRequest(platforms=("linux/amd65",)),
            'unknown platform "linux/amd65" — did you mean "linux/amd64"?',
        ),
        (BuildRequest(platforms=("linux/foo",)), 'unknown platform "linux/foo"\n  known  '),
        (BuildRequest(platforms=("amd64",)), '"amd64" is not a platform'),
        (BuildRequest(set_=("no-cache",)), '"no-cache" is no override of a bake target'),
        (
            BuildRequest(set_=("api-productoin.args.A=b",)),
            'unknown bake target "api-productoin" — did you mean "api-production"?',
        ),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(
    repository: Repository, request_: BuildRequest, message: str
) -> None:
    assert str(repository.refused(request_)).startswith(message)


@pytest.mark.parametrize("override", ["*.no-cache", "api-*.args.A=b.c=d", "api-production.push=x"])
def test_an_override_of_a_target_goes_to_bake(repository: Repository, override: str) -> None:
    assert repository.plan(BuildRequest(set_=(override,))).overrides == (override,)


def test_a_dockerfile_that_is_missing_is_named_with_its_key(repository: Repository) -> None:
    repository.services["web"] = Service("web", dockerfile="web/Dockerfile")
    assert str(repository.refused(BuildRequest(services=("web",)))) == (
        "web/Dockerfile of service web does not exist\n"
        "  why   it is a path from the repository's top folder, not from its context; where there "
        "is any [services], each of them says its own, and none is looked for\n"
        "  next  correct services.web.dockerfile in the configuration"
    )


def test_a_context_that_is_no_folder_is_named_with_its_key(repository: Repository) -> None:
    repository.service(Service("web", context="nowhere"))
    message = str(repository.refused(BuildRequest(services=("web",))))
    assert "services.web.context" in message


def test_two_services_cannot_make_one_image(repository: Repository) -> None:
    repository.service(Service("web", targets=("production",), image="team/api"))
    message = str(repository.refused(BuildRequest()))
    assert message.startswith("services api and web both make team/api:")


def test_a_repository_without_services_says_what_to_add(repository: Repository) -> None:
    repository.services.clear()
    assert "there is nothing to build" in str(repository.refused(BuildRequest()))


def test_an_image_name_that_is_none_is_refused(repository: Repository) -> None:
    repository.service(Service("Web", image="Team/Web"))
    assert "is not an image reference" in str(repository.refused(BuildRequest(services=("Web",))))


def test_a_dockerfile_without_stages_says_so(repository: Repository) -> None:
    repository.service(Service("api"), "FROM scratch\n")
    told = str(repository.refused(BuildRequest(target="nosuch")))
    assert told.splitlines() == [
        'unknown target "nosuch" of service api',
        "  known  it has no named stages",
    ]
