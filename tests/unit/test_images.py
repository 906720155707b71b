"""References, platforms and sizes: the grammar of distribution/reference, and figures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullwright.errors import UsageError
from hullwright.images import Platform, Reference, parse_size_bytes, shortened, size_text

DIGEST = "sha256:" + "0123456789abcdef" * 4

lower = st.from_regex(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*", fullmatch=True)
domains = st.from_regex(
    r"(localhost|[a-z0-9]+(-[a-z0-9]+)*\.[a-z0-9]+)(:[0-9]{1,5})?", fullmatch=True
)
paths = st.lists(lower, min_size=1, max_size=4).map("/".join)
tags = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", fullmatch=True)
digests = st.from_regex(r"sha256:[0-9a-f]{64}", fullmatch=True)


@given(domains, paths, st.none() | tags, st.none() | digests)
def test_a_reference_of_parts_reads_back_as_these_parts(
    domain: str, path: str, tag: str | None, digest: str | None
) -> None:
    written = f"{domain}/{path}" + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")
    reference = Reference.parse(written)
    assert (reference.tag, reference.digest) == (tag, digest)
    assert f"{reference.domain}/{reference.path}" == f"{domain}/{path}"
    assert str(reference) == written


@given(st.text(max_size=40) | paths | st.builds("{}:{}".format, paths, tags))
def test_what_is_read_is_written_so_that_it_reads_the_same(text: str) -> None:
    try:
        reference = Reference.parse(text)
    except UsageError:
        return
    assert Reference.parse(str(reference)) == reference


@pytest.mark.parametrize(
    ("text", "domain", "path", "written"),
    [
        ("python", "docker.io", "library/python", "python"),
        ("library/python", "docker.io", "library/python", "python"),
        ("docker.io/python:3.13", "docker.io", "library/python", "python:3.13"),
        ("team/app", "docker.io", "team/app", "team/app"),
        ("localhost/app", "localhost", "app", "localhost/app"),
        ("127.0.0.1:5000/app", "127.0.0.1:5000", "app", "127.0.0.1:5000/app"),
        ("[::1]:5000/app", "[::1]:5000", "app", "[::1]:5000/app"),
        ("ghcr.io/a/b/c:x@" + DIGEST, "ghcr.io", "a/b/c", "ghcr.io/a/b/c:x@" + DIGEST),
    ],
)
def test_the_usual_forms(text: str, domain: str, path: str, written: str) -> None:
    reference = Reference.parse(text)
    assert (reference.domain, reference.path, str(reference)) == (domain, path, written)


@pytest.mark.parametrize(
    "text", ["", "Python", "python:", "python:-x", "a//b", "a/b/", "python@sha256:12", "a b", "a\n"]
)
def test_what_is_no_reference_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(UsageError, match=r"is not an image reference(.|\n)*repository\[:tag\]"):
        Reference.parse(text)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("linux/amd64", "linux/amd64"),
        ("Linux/x86_64", "linux/amd64"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm/v7", "linux/arm/v7"),
        ("linux/i386", "linux/386"),
    ],
)
def test_platforms_have_one_spelling(text: str, written: str) -> None:
    assert str(Platform.parse(text)) == written
    assert Platform.parse(written) == Platform.parse(text)


@pytest.mark.parametrize("text", ["", "linux", "linux/", "linux/arm/v7/x", "linux/a b"])
def test_what_is_no_platform_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a platform"):
        Platform.parse(text)


@pytest.mark.parametrize(
    ("text", "count_bytes"),
    [
        ("0", 0),
        ("4096", 4096),
        ("7 B", 7),
        ("200MB", 200_000_000),
        ("200mb", 200_000_000),
        ("1.5 GiB", 1_610_612_736),
        ("12kB", 12_000),
    ],
)
def test_sizes_have_units(text: str, count_bytes: int) -> None:
    assert parse_size_bytes(text) == count_bytes


@pytest.mark.parametrize("text", ["", "MB", "1.5.1MB", "-1MB", "1 megabyte", "1e3"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a size"):
        parse_size_bytes(text)


@pytest.mark.parametrize(
    ("count_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (12_000, "12.0 kB"),
        (950_001, "950.0 kB"),
        (999_960, "1.0 MB"),
        (52_100_000, "52.1 MB"),
        (-31_400_000, "-31.4 MB"),
        (3 * 10**12, "3.0 TB"),
    ],
)
def test_figures_have_one_decimal_and_their_unit(count_bytes: int, text: str) -> None:
    assert size_text(count_bytes) == text


@given(st.integers(min_value=0, max_value=10**15))
def test_a_figure_reads_back_within_its_rounding(count_bytes: int) -> None:
    assert abs(parse_size_bytes(size_text(count_bytes)) - count_bytes) <= count_bytes * 0.05 + 1


@pytest.mark.parametrize(
    ("text", "short"),
    [
        (f"team/web:1@sha256:{'0123456789abcdef' * 4}", "team/web:1@sha256:0123456789ab"),
        ("busybox:1", "busybox:1"),
    ],
)
def test_a_digest_is_shown_by_its_first_digits(text: str, short: str) -> None:
    assert shortened(text) == short
