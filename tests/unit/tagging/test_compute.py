"""Order, legality, what moves forward only, and what is warned of."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from hullwright.config.models import Config, Service, TagFlavor, TagRule
from hullwright.errors import ExitCode, UsageError
from hullwright.images import TAG
from hullwright.tagging import Clone, RefContext, compute, parse, require
from hullwright.tagging.services import groups, of_service
from hullwright.tagging.versions import split
from tagging import SHA, clone, on

SEMVER = """
type=semver,pattern={{version}}
type=semver,pattern={{major}}.{{minor}}
type=semver,pattern={{major}}
"""
RELEASES = clone("t:v1.8.0", "t:v1.9.0", "t:v1.9.1", "t:v2.0.0", "t:v2.0.1", "t:v3.0.0-rc.1")


def names(context: RefContext, rules: str = "", **more: object) -> tuple[str, ...]:
    """Return the tags by rules in the action's notation."""
    return compute(context, parse(rules)[0], **more).names  # type: ignore[arg-type]  # as given


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("v2.0.1", ("2.0.1", "2.0", "2", "latest")),
        # A back-port after v2.0.1: everything of its own line, and no latest.
        ("v1.9.1", ("1.9.1", "1.9", "1")),
        # An old pipeline that runs again.
        ("v1.9.0", ("1.9.0",)),
        ("v1.8.0", ("1.8.0", "1.8")),
        ("v1.8.1", ("1.8.1", "1.8")),
        # A pre-release of a higher version holds nothing back.
        ("v2.1.0", ("2.1.0", "2.1", "2", "latest")),
        ("v3.0.0-rc.1", ("3.0.0-rc.1",)),
    ],
)
def test_moving_tags_move_forward_only(tag: str, expected: tuple[str, ...]) -> None:
    assert names(on(f"refs/tags/{tag}", RELEASES), SEMVER) == expected


def test_always_is_the_old_way() -> None:
    always = TagFlavor(latest="always")
    back = on("refs/tags/v1.9.0", RELEASES)
    assert names(back, SEMVER, flavor=always) == ("1.9.0", "1.9", "1", "latest")
    rule = "type=semver,pattern={{major}},latest=always"
    assert names(back, rule) == ("1", "latest")
    # Even so a pre-release never gets it.
    assert names(on("refs/tags/v3.0.0-rc.1", RELEASES), SEMVER, flavor=always) == ("3.0.0-rc.1",)


def test_the_reason_is_told() -> None:
    found = compute(on("refs/tags/v1.9.0", RELEASES), parse(SEMVER)[0])
    assert found.latest_reason == "v2.0.1 is newer"
    assert [outcome.reason for outcome in found.outcomes] == [
        "",
        "1.9 stays with the newer v1.9.1",
        "1 stays with the newer v1.9.1",
    ]
    assert found.warnings == ()


@pytest.mark.parametrize("rule", ["type=ref,event=tag", r"type=match,pattern=v(.*),group=1"])
def test_latest_by_other_rules_moves_forward_only(rule: str) -> None:
    assert "latest" in names(on("refs/tags/v2.0.1", RELEASES), rule)
    assert "latest" not in names(on("refs/tags/v1.9.1", RELEASES), rule)
    assert "latest" not in names(on("refs/tags/v3.0.0-rc.1", RELEASES), rule)


@pytest.mark.parametrize("tag", ["v3.0.0-rc.1", "1.2.3rc2", "20200110-RC2", "p1/v1.0.0-alpha"])
def test_a_pre_release_never_gets_latest(tag: str) -> None:
    context = on(f"refs/tags/{tag}")
    for latest in ("auto", "true", "always"):
        flavor = TagFlavor(latest=latest)
        assert "latest" not in names(context, "type=ref,event=tag", flavor=flavor)
        assert "latest" not in names(context, "type=sha", flavor=flavor)
    told = compute(context, parse("type=raw,value=latest")[0])
    assert told.names == ()
    assert told.warnings == (
        f"rule type=raw,value=latest gives no tag: no latest: {tag} is a pre-release",
    )


PREFIXED = clone(
    *("t:release-1.9.0", "t:release-2.0.1", "t:release-1.9.1", "t:v9.0.0", "t:release-3.0.0-rc.1")
)


@pytest.mark.parametrize("kind", ["semver", "pep440"])
@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("release-2.0.1", ("2.0.1", "2.0", "2", "latest")),
        ("release-1.9.1", ("1.9.1", "1.9", "1")),
        ("release-1.9.0", ("1.9.0",)),
    ],
)
def test_versions_that_a_rule_takes_out_of_a_name_move_forward_only(
    kind: str, tag: str, expected: tuple[str, ...]
) -> None:
    rules = "\n".join(
        f"{line.replace('semver', kind)},match=release-(.*)" for line in SEMVER.split()
    )
    assert names(on(f"refs/tags/{tag}", PREFIXED), rules) == expected


@pytest.mark.parametrize("rule", ["type=ref,event=tag", "type=match,pattern=release-(.*),group=1"])
def test_latest_of_tags_with_a_word_before_the_version_moves_forward_only(rule: str) -> None:
    assert "latest" in names(on("refs/tags/release-2.0.1", PREFIXED), rule)
    for tag in ("release-1.9.1", "release-1.9.0", "release-3.0.0-rc.1"):
        assert "latest" not in names(on(f"refs/tags/{tag}", PREFIXED), rule)


def test_a_match_of_two_figures_moves_forward_only() -> None:
    rule = r"type=match,pattern=release-(\d+\.\d+),group=1"
    assert names(on("refs/tags/release-1.9.0", PREFIXED), rule) == ()
    assert names(on("refs/tags/release-1.9.1", PREFIXED), rule) == ("1.9",)


@pytest.mark.parametrize(
    "flavor",
    [
        TagFlavor(suffix="-alpine"),
        TagFlavor(latest="true", suffix="-alpine", suffix_on_latest=True),
        TagFlavor(prefix="x-"),
    ],
)
def test_a_raw_latest_with_prefix_or_suffix_is_the_moving_tag_too(flavor: TagFlavor) -> None:
    rules = "type=raw,value=latest\ntype=semver,pattern={{version}}"
    wanted = f"{flavor.prefix}latest{flavor.suffix}"
    assert wanted in names(on("refs/tags/v2.0.1", RELEASES), rules, flavor=flavor)
    for tag in ("v1.9.1", "v3.0.0-rc.1"):
        found = compute(on(f"refs/tags/{tag}", RELEASES), parse(rules)[0], flavor)
        assert wanted not in found.names
        assert f"no {wanted}: " in found.warnings[0]


def test_latest_by_a_raw_rule_is_told_as_given() -> None:
    found = compute(on("refs/heads/main"), parse("type=raw,value=latest")[0])
    assert (found.names, found.latest) == (("latest",), "latest")
    rc = compute(on("refs/tags/v3.0.0-rc.1", RELEASES), parse(SEMVER)[0])
    assert rc.latest_reason == "v3.0.0-rc.1 is a pre-release"


@pytest.mark.parametrize(
    ("tag", "family", "rest"),
    [
        ("release-1.9.1", "release-", "1.9.1"),
        ("app-v1.9.1", "app-", "v1.9.1"),
        ("on-3.11-v1.2.3", "on-3.11-", "v1.2.3"),
        ("release-1.9-rc1", "release-", "1.9-rc1"),
        ("p1/app-1.0.0", "p1/app-", "1.0.0"),
        ("v1.0.0-rc.1.2.3", "", "v1.0.0-rc.1.2.3"),
        ("20200110-RC2", "", "20200110-RC2"),
        ("nightly", "", "nightly"),
    ],
)
def test_what_stands_before_the_figures_is_the_family(tag: str, family: str, rest: str) -> None:
    assert split(tag, "v") == (family, rest)


def test_versions_of_pep_440_move_forward_only() -> None:
    known = clone("t:1.9", "t:1.10", "t:2.0rc1", "t:1.10.post1")
    rules = "type=pep440,pattern={{version}}\ntype=pep440,pattern={{major}}"
    assert names(on("refs/tags/1.9", known), rules) == ("1.9",)
    assert names(on("refs/tags/1.11", known), rules) == ("1.11", "1", "latest")
    assert names(on("refs/tags/2.0rc1", known), rules) == ("2.0rc1",)


def test_each_service_has_its_own_line_of_versions() -> None:
    known = clone("t:api/v1.0.0", "t:api/v1.1.0", "t:v9.0.0", "t:web/v3.0.0")
    api = {"tag_prefix": "api/v"}
    expected = ("1.1.0", "1.1", "1", "latest")
    assert names(on("refs/tags/api/v1.1.0", known), SEMVER, **api) == expected
    assert names(on("refs/tags/api/v1.0.0", known), SEMVER, **api) == ("1.0.0", "1.0")
    other = compute(on("refs/tags/web/v3.0.0", known), parse(SEMVER)[0], tag_prefix="api/v")
    assert (other.names, other.warnings) == ((), ())


def test_a_clone_that_may_lack_tags_is_refused_where_they_decide() -> None:
    repair = "git fetch --unshallow --tags"
    shallow = Clone(("refs/tags/v1.0.0", "refs/tags/v2.0.0-rc.1"), "it is shallow", repair)
    with pytest.raises(UsageError) as raised:
        names(on("refs/tags/v1.0.0", shallow), SEMVER)
    assert raised.value.exit_code == ExitCode.USAGE
    assert "whether v1.0.0 is the newest release is not known in this clone" in str(raised.value)
    assert repair in str(raised.value)
    assert 'latest = "always" in [tags-flavor]' in str(raised.value)
    in_ci = replace(on("refs/tags/v1.0.0", shallow), origin="GitLab")
    with pytest.raises(UsageError, match="GIT_DEPTH"):
        names(in_ci, SEMVER)
    # Nothing moves: not for a pre-release, and not where only whole versions are asked for.
    assert names(on("refs/tags/v2.0.0-rc.1", shallow), SEMVER) == ("2.0.0-rc.1",)
    whole, never = "type=semver,pattern={{version}}", TagFlavor(latest="false")
    assert names(on("refs/tags/v1.0.0", shallow), whole, flavor=never) == ("1.0.0",)
    with pytest.raises(UsageError):
        names(on("refs/tags/v1.0.0", shallow), SEMVER, flavor=never)
    assert names(on("refs/heads/main", shallow), SEMVER + "type=sha") == ("sha-1a2b3c4",)
    always = TagFlavor(latest="always")
    assert "latest" in names(on("refs/tags/v1.0.0", shallow), SEMVER, flavor=always)


def test_the_order_is_by_priority_and_stable_and_without_duplicates() -> None:
    rules = """
    type=sha
    type=version
    type=raw,value=b
    type=raw,value=a
    type=raw,value=b
    type=ref,event=branch
    type=edge
    type=raw,value=first,priority=2000
    type=sha,priority=650,format=long
    """
    expected = ("first", "edge", f"sha-{SHA}", "main", "0.1.0", "b", "a", "sha-1a2b3c4")
    assert names(on("refs/heads/main"), rules, image_tag="0.1.0") == expected


@pytest.mark.parametrize(
    ("branch", "pattern"),
    [
        ("fix/one", r"fix-one"),
        ("größe", r"gr-e"),
        ("my/feature", r"my-feature-[0-9a-f]{8}"),
        ("my-feature", r"my-feature-[0-9a-f]{8}"),
        ("latest", r"latest-[0-9a-f]{8}"),
        ("v1.9.1", r"v1\.9\.1-[0-9a-f]{8}"),
        ("1.9", r"1\.9-[0-9a-f]{8}"),
        ("release", r"release-[0-9a-f]{8}"),
        ("pr-15", r"pr-15-[0-9a-f]{8}"),
        ("pr-16", r"pr-16"),
        ("日本", r"[0-9a-f]{8}"),
        ("x" * 200, r"x{119}-[0-9a-f]{8}"),
        ("x" * 128, r"x{128}"),
    ],
)
def test_only_what_is_cut_or_would_be_taken_for_another_has_a_hash(
    branch: str, pattern: str
) -> None:
    known = clone("my/feature", "my-feature", "fix/one", "latest", "1.9", "t:release", "t:v1.9.1")
    known = replace(known, refs=(*known.refs, "refs/pull/15/head"))
    (tag,) = names(on(f"refs/heads/{branch}", known))
    assert TAG.fullmatch(tag)
    assert re.fullmatch(pattern, tag)


def test_a_branch_is_not_taken_for_what_a_rule_gives_to_a_version() -> None:
    rules = "type=ref,event=branch\ntype=semver,pattern=release-{{major}}"
    assert names(on("refs/heads/release-1", RELEASES), rules) != ("release-1",)
    assert names(on("refs/heads/release-7", RELEASES), rules) == ("release-7",)


def test_a_raw_tag_of_a_branch_is_as_distinct_as_the_branch() -> None:
    known = clone("a/b", "a-b")
    rules = "type=raw,value=on-{{branch}}"
    tags = {names(on(f"refs/heads/{branch}", known), rules) for branch in ("a/b", "a-b")}
    assert len(tags) == 2


def test_tags_of_git_that_would_be_the_same_are_told_apart() -> None:
    known = clone("t:a/b", "t:a-b")
    assert names(on("refs/tags/a-b", known))[0] == "a-b"
    assert re.fullmatch(r"a-b-[0-9a-f]{8}", names(on("refs/tags/a/b", known))[0])


@pytest.mark.parametrize(
    ("ref", "rule", "why"),
    [
        ("tags/x", "type=semver,pattern={{version}}", "x is not a SemVer version"),
        ("tags/x", "type=pep440,pattern={{version}}", "x is not a version by PEP 440"),
        ("tags/x", r"type=match,pattern=\d", r"\d does not match x"),
        ("tags/x", r"type=match,pattern=x,group=1", "x has no group 1 in x"),
        ("tags/x", "type=raw,value={{branch}}", "its pattern is filled with nothing"),
        ("tags/x", "type=raw,value={{brunch}}", "{{brunch}} is not known, and stands for nothing"),
        ("tags/x", "type=semver,pattern={{version}},value={{branch}}", "is filled with nothing"),
        ("tags/x", r"type=semver,pattern={{version}},match=\d", r"match=\d does not match x"),
        ("heads/x", "type=version", "the version is that of another commit"),
    ],
)
def test_a_rule_that_should_give_a_tag_and_gives_none_is_warned_of(
    ref: str, rule: str, why: str
) -> None:
    found = compute(on(f"refs/{ref}"), parse(rule)[0])
    assert found.names == ()
    (warning,) = found.warnings
    assert warning.startswith(f"rule {rule} gives no tag: ")
    assert why in warning


def test_an_unknown_default_branch_and_commit_are_warned_of() -> None:
    context = replace(on("refs/heads/x"), default_branch="", sha="")
    found = compute(context, parse("type=edge\ntype=sha")[0])
    assert [warning.partition(": ")[2] for warning in found.warnings] == [
        "the default branch is not known; branch=NAME in the rule tells it",
        "the commit is not known",
    ]


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        ("type=semver,pattern={{version", "{{ is not closed in {{version"),
        ("type=semver,pattern={{date 'YYYY' tz='../x'}}", 'the time zone "../x"'),
        ("type=match,pattern=v(", 'the pattern "v("'),
        ("type=semver,pattern={{version}},match=v(", 'the pattern "v("'),
        ("type=sha,enable=branch = 'x'", "the expression cannot be read"),
        ("type=raw,value={{}}", "{{}} is not a field"),
        ("type=raw,value={{ }}", "{{ }} is not a field"),
        ("type=sha,enable=" + "(" * 3000, "levels of it are nested"),
        ("type=sha,enable={{is_main}}", 'unknown field in enable "is_main"'),
    ],
)
def test_a_mistake_in_a_pattern_names_its_rule_on_any_ref(rule: str, what: str) -> None:
    for ref in ("refs/heads/main", "refs/tags/v1.0.0", "refs/pull/1/merge"):
        with pytest.raises(UsageError) as raised:
            names(on(ref), rule)
        assert raised.value.exit_code == ExitCode.USAGE
        assert raised.value.what.startswith("rule type=")
        assert what in str(raised.value)


@pytest.mark.parametrize(
    ("ref", "given"),
    [("heads/main", ()), ("heads/x", ("x",)), ("tags/v1.0.0", ()), ("pull/1/merge", ())],
)
def test_what_is_not_the_default_branch(ref: str, given: tuple[str, ...]) -> None:
    for enable in ("{{is_not_default_branch}}", "is_not_default_branch"):
        found = names(on(f"refs/{ref}"), f"type=raw,value=x,enable={enable}")
        assert found == given


def test_a_rule_that_does_not_apply_is_no_warning() -> None:
    rules = "type=ref,event=tag\ntype=ref,event=pr\ntype=schedule\ntype=sha,enable=false\n" + SEMVER
    found = compute(on("refs/heads/main"), parse(rules)[0])
    assert (found.names, found.warnings) == ((), ())
    assert all(outcome.reason for outcome in found.outcomes)


def test_what_is_to_be_pushed_needs_a_tag() -> None:
    tagged = compute(on("refs/heads/main"))
    assert require(tagged) is tagged
    with pytest.raises(UsageError) as raised:
        require(compute(on("refs/heads/main"), parse(SEMVER)[0], service="api"))
    assert raised.value.exit_code == ExitCode.USAGE
    assert "the image of api has no tag on refs/heads/main, so it cannot be pushed" in str(
        raised.value
    )
    assert "refs/heads/main is not a tag" in str(raised.value)


def test_a_service_has_its_own_rules_or_those_of_all() -> None:
    sha, raw = TagRule("sha"), TagRule("raw", attributes={"value": "x"})
    own = Service("api", tags=(raw,), tags_flavor=TagFlavor(prefix="api-"))
    same = Service("web", tag_prefix="v")
    config = Config(
        "shop", services={"api": own, "web": same}, tags=(sha,), tags_flavor=TagFlavor(suffix="-z")
    )
    context = on("refs/heads/main")

    def version() -> str:
        raise AssertionError("no rule asks for it")

    assert of_service(config, own, context, version).names == ("api-x",)
    assert of_service(config, same, context, version).names == ("sha-1a2b3c4-z",)
    assert of_service(config, None, context, version).names == ("sha-1a2b3c4-z",)
    # Other rules do not get the flavor of the configured ones.
    given = of_service(config, same, context, version, rules=(raw,))
    assert given.names == ("x",)
    assert groups(config) == [own, same]
    assert groups(Config("shop")) == [None]
