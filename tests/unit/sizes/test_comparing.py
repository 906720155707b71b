"""What differs between two images, whose doing it is, and the sentence that says so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullwright.sizes.comparing import compare
from hullwright.sizes.contents import Package
from hullwright.sizes.delta import Comparison, Difference
from hullwright.sizes.matching import label_of
from hullwright.sizes.models import ImageSizes, LayerSize
from layering import Layer, image

if TYPE_CHECKING:
    from collections.abc import Callable

    from hullwright.sizes.delta import Growth

MB: Final = 1_000_000
BASE: Final = Layer("FROM debian:13.1", {"bin/sh": 100_000, "etc/version": 4}, "base")
APP: Final = Layer("COPY app /app", {"app/main": 2 * MB})
MODELS: Final = "COPY models/ /app/models"


def against(now: ImageSizes, before: ImageSizes) -> Comparison:
    return compare(now, before, "main", "registry, tag main")


def growth(found: Comparison, metric: str) -> Growth:
    return next(each for each in found.growth if each.metric == metric)


def test_growth_is_told_with_the_step_and_the_file() -> None:
    before = image(BASE, APP, Layer(MODELS, {"app/models/x.bin": 5 * MB, "app/models/y": 9}))
    now = image(BASE, APP, Layer(MODELS, {"app/models/x.bin": 35 * MB, "app/models/y": 9}))
    found = against(now, before)
    assert found.cause == (
        "api linux/amd64 grew by 30.0 MB unpacked: step COPY models/ /app/models, "
        "/app/models/x.bin 30.0 MB"
    )
    assert (found.kind, found.metric) == ("own", "unpacked")
    assert (found.asked, found.how) == ("main", "registry, tag main")
    assert found.layers == (Difference(MODELS, "grown", 30 * MB, "own"),)
    assert found.files == (Difference("/app/models/x.bin", "grown", 30 * MB, "own"),)
    for metric in ("unpacked", "visible"):
        assert (growth(found, metric).base, growth(found, metric).own) == (0, 30 * MB)
    assert growth(found, "compressed").own == 15 * MB
    assert growth(found, "waste").total == 0
    assert growth(found, "layers").total == 0
    assert (growth(found, "on disk").base, growth(found, "on disk").total) == (
        0,
        growth(found, "on disk").own,
    )


def test_a_new_step_is_told_as_new_and_a_lost_one_as_gone() -> None:
    more = Layer(MODELS, {"app/models/x.bin": 30 * MB})
    grown = against(image(BASE, APP, more), image(BASE, APP))
    assert grown.cause == (
        "api linux/amd64 grew by 30.0 MB unpacked: step COPY models/ /app/models (new), "
        "/app/models/x.bin 30.0 MB"
    )
    shrunk = against(image(BASE, APP), image(BASE, APP, more))
    assert shrunk.cause == (
        "api linux/amd64 shrank by 30.0 MB unpacked: step COPY models/ /app/models (gone), "
        "/app/models/x.bin 30.0 MB"
    )
    assert shrunk.layers == (Difference(MODELS, "removed", -30 * MB, "own"),)
    assert growth(shrunk, "layers").own == -1


def test_a_base_alone_that_grew_is_told_as_the_base() -> None:
    bigger = Layer("FROM debian:13.2", {"bin/sh": 100_000, "usr/lib/libssl.so": 12 * MB}, "base")
    packages = [
        [
            Package("dpkg", "base-files", version, 300, 3, 0),
            Package("dpkg", "libssl3", v, size, 1, 0),
        ]
        for version, v, size in (("13.1", "3.0", MB), ("13.2", "3.1", 13 * MB))
    ]
    found = against(
        image(bigger, APP, packages=packages[1], base_name="docker.io/library/debian:13.2"),
        image(BASE, APP, packages=packages[0], base_name="docker.io/library/debian:13.1"),
    )
    assert found.kind == "base"
    assert found.cause == (
        "api linux/amd64 grew by 12.0 MB unpacked: only the base grew, debian:13.1 → debian:13.2 "
        "(its packages: libssl3 3.0 → 3.1 +12.0 MB, base-files 13.1 → 13.2)"
    )
    assert growth(found, "unpacked").own == 0
    assert growth(found, "unpacked").base == 11_999_996
    assert [each.origin for each in found.layers] == ["base"]


def test_a_base_without_a_name_is_told_by_its_digest_and_step() -> None:
    bigger = Layer("RUN apt-get install curl", {"usr/bin/curl": 3 * MB}, "base")
    digests = [f"sha256:{letter * 64}" for letter in "ab"]
    found = against(image(BASE, bigger, APP, base=digests[1]), image(BASE, APP, base=digests[0]))
    assert found.cause == (
        "api linux/amd64 grew by 3.0 MB unpacked: only the base grew, "
        "sha256:aaaaaaaaaaaa → sha256:bbbbbbbbbbbb "
        "(step RUN apt-get install curl (new), /usr/bin/curl 3.0 MB)"
    )


def test_both_are_told_with_what_did_most_first() -> None:
    bigger = Layer("FROM debian:13.1", {"bin/sh": 5_100_000, "etc/version": 4}, "base")
    found = against(image(bigger, Layer("COPY app /app", {"app/main": 4 * MB})), image(BASE, APP))
    assert found.kind == "both"
    assert found.cause == (
        "api linux/amd64 grew by 7.0 MB unpacked: base +5.0 MB, step FROM debian:13.1, "
        "/bin/sh 5.0 MB; own +2.0 MB, step COPY app /app, /app/main 2.0 MB"
    )


def test_growth_and_shrinkage_that_cancel_out_are_still_told() -> None:
    bigger = Layer("FROM debian:13.1", {"bin/sh": 1_100_000, "etc/version": 4}, "base")
    found = against(image(bigger, Layer("COPY app /app", {"app/main": MB})), image(BASE, APP))
    assert found.kind == "both"
    assert found.cause == (
        "api linux/amd64 is as large as main, 2.1 MB unpacked: own -1.0 MB, base +1.0 MB"
    )


def test_the_same_image_is_told_as_the_same() -> None:
    found = against(image(BASE, APP), image(BASE, APP))
    assert found.cause == "api linux/amd64 is the same as main: no layer differs"
    assert found.kind == "same"
    assert (found.layers, found.packages, found.files) == ((), (), ())


def test_other_content_of_the_same_size_is_a_layer_that_differs() -> None:
    other = replace(APP, contents={"app/main": "another build"})
    found = against(image(BASE, other), image(BASE, APP))
    assert found.kind == "same"
    assert found.cause == (
        "api linux/amd64 is as large as main, 2.1 MB unpacked; 1 layer of it differs"
    )
    assert found.layers == (Difference("COPY app /app", "changed", 0, "own"),)


def test_what_moved_did_not_grow() -> None:
    old = Layer("COPY data /", {"data/x.bin": 8 * MB}, contents={"data/x.bin": "x"})
    new = Layer("COPY data /", {"srv/x.bin": 8 * MB, "srv/y.bin": MB}, contents={"srv/x.bin": "x"})
    found = against(image(BASE, new), image(BASE, old))
    assert found.files == (
        Difference("/srv/y.bin", "added", MB, "own"),
        Difference("/srv/x.bin", "moved", 0, "own", "was /data/x.bin"),
    )
    assert found.cause.endswith("grew by 1.0 MB unpacked: step COPY data /, /srv/y.bin 1.0 MB")


def test_a_copy_of_what_stays_is_growth_and_says_of_what() -> None:
    twice = Layer(
        "COPY app /app",
        {"app/main": 2 * MB, "app/copy": 2 * MB},
        contents={"app/main": "m", "app/copy": "m"},
    )
    once = Layer("COPY app /app", {"app/main": 2 * MB}, contents={"app/main": "m"})
    found = against(image(BASE, twice), image(BASE, once))
    assert found.files == (
        Difference("/app/copy", "added", 2 * MB, "own", "the same as /app/main"),
    )


def test_files_that_a_step_has_again_or_that_are_deleted_later_are_its_growth_all_the_same() -> (
    None
):
    owner = Layer("RUN chown -R app /app", {"app/main": 2 * MB})
    found = against(image(BASE, APP, owner), image(BASE, APP))
    assert found.cause.endswith(
        "step RUN chown -R app /app (new), /app/main 2.0 MB, which an earlier layer has already"
    )
    assert found.files == ()
    assert (growth(found, "visible").total, growth(found, "waste").own) == (0, 2 * MB)
    fetched, removed = Layer("RUN fetch", {"tmp/x.tar": 9 * MB}), Layer("RUN rm", {"tmp/x.tar": -1})
    found = against(image(BASE, fetched, removed), image(BASE))
    assert found.cause.endswith("step RUN fetch (new), /tmp/x.tar 9.0 MB, deleted by a later step")


def test_many_small_files_are_told_by_their_package_or_folder() -> None:
    files = {f"usr/lib/python3/torch/{n}.py": 100_000 for n in range(50)}
    install = Layer("RUN pip install torch", {**files, "usr/bin/x": 1000})
    torch = Package("python", "torch", "2.1", 5 * MB, 50, 1)
    found = against(image(BASE, install, packages=[torch]), image(BASE))
    assert found.cause.endswith("(new), python package torch 2.1 5.0 MB")
    assert found.packages == (Difference("torch", "added", 5 * MB, "own", "2.1", "python"),)
    found = against(image(BASE, install), image(BASE))
    assert found.cause.endswith("(new), /usr/lib/python3/torch 5.0 MB in 50 files")


def test_several_steps_are_told_by_the_two_that_did_most() -> None:
    steps = [Layer(f"RUN step {n}", {f"f{n}": n * MB}) for n in (1, 2, 3)]
    found = against(image(BASE, *steps), image(BASE))
    assert found.cause == (
        "api linux/amd64 grew by 6.0 MB unpacked: step RUN step 3 +3.0 MB (new), /f3 3.0 MB; "
        "step RUN step 2 +2.0 MB; 1 more +1.0 MB"
    )


def test_packages_are_matched_by_name_then_version() -> None:
    def npm(version: str, size: int) -> Package:
        return Package("npm", "ws", version, size, 1, 1)

    now = image(BASE, APP, packages=[npm("8.0", 20), npm("9.0", 10)])
    before = image(BASE, APP, packages=[npm("7.0", 20), npm("9.0", 10)])
    assert against(now, before).packages == (
        Difference("ws", "changed", 0, "own", "7.0 → 8.0", "npm"),
    )
    gone = image(BASE, APP, packages=[npm("9.0", 10)])
    assert against(gone, before).packages == (
        Difference("ws", "removed", -20, "own", "7.0", "npm"),
    )


def test_without_layers_read_it_is_told_by_step_in_compressed_bytes() -> None:
    before = image(BASE, APP, deep=False, unpacked=False)
    now = image(BASE, Layer("COPY app /app", {"app/main": 6 * MB}))
    found = against(now, before)
    assert found.cause == "api linux/amd64 grew by 2.0 MB compressed: step COPY app /app"
    assert (found.metric, found.files) == ("compressed", ())
    assert growth(found, "unpacked").total is None


def test_where_no_figure_is_known_of_both_it_says_so() -> None:
    local = image(BASE, APP)
    classic = replace(local, figures=replace(local.figures, compressed_bytes=None))
    found = against(classic, image(BASE, APP, deep=False, unpacked=False))
    assert found.kind == "unknown"
    assert "cannot be compared with main: no figure is known of both" in found.cause


def test_of_an_image_of_which_only_figures_are_left_no_step_is_told() -> None:
    kept = image(APP, deep=False)
    bare = replace(kept, figures=replace(kept.figures, layers=()))
    found = against(image(BASE, APP), bare)
    assert found.cause == (
        "api linux/amd64 grew by 100.0 kB unpacked: by which step is not known, "
        "only figures are left of main"
    )
    assert (found.kind, found.layers) == ("unknown", ())
    assert growth(found, "layers").total is None


def test_where_nothing_tells_whose_layers_are_there_is_no_split() -> None:
    base, app = replace(BASE, origin=None), replace(APP, origin=None)
    more = Layer("RUN x", {"x": MB}, None)
    found = against(image(base, app, more), image(base, app))
    assert found.kind == "unknown"
    assert growth(found, "unpacked").total == MB
    assert growth(found, "unpacked").base is None
    assert found.cause.endswith("grew by 1.0 MB unpacked: step RUN x (new), /x 1.0 MB")


def test_the_other_image_is_told_by_this_one_whose_its_layers_are() -> None:
    base, app = replace(BASE, origin=None), replace(APP, origin=None)
    bigger = Layer("COPY app /app", {"app/main": 3 * MB})
    found = against(image(BASE, bigger), image(base, app))
    assert found.kind == "own"
    assert (growth(found, "unpacked").base, growth(found, "unpacked").own) == (0, MB)


def test_what_lies_below_the_same_own_steps_is_the_base_though_it_is_gone() -> None:
    old = [Layer("RUN older", {"bin/sh": 100_000}, None), replace(APP, origin=None)]
    bigger = [Layer("FROM x", {"bin/sh": 3 * MB}, "base"), Layer("RUN y", {"y": MB}, "base")]
    found = against(image(*bigger, APP), image(*old))
    assert found.kind == "base"
    assert (growth(found, "unpacked").base, growth(found, "unpacked").own) == (3_900_000, 0)
    # With a new own step above it still is; with one below the first that is known it may be that.
    more = Layer("RUN more", {"more": MB})
    assert growth(against(image(*bigger, APP, more), image(*old)), "unpacked").own == MB
    assert growth(against(image(*bigger, more, APP), image(*old)), "unpacked").own is None


@pytest.mark.parametrize(
    ("created_by", "label"),
    [
        ("COPY models/ /app/models # buildkit", "COPY models/ /app/models"),
        ("/bin/sh -c #(nop) ADD file:0123456789abcdef0123456789abcdef in / ", "ADD … in /"),
        ("RUN /bin/sh -c apt-get update &&  make # buildkit", "RUN apt-get update && make"),
        ("RUN |1 VERSION=1 /bin/sh -c make # buildkit", "RUN make"),
        ("/bin/sh -c make", "RUN make"),
        ("", "a step without a name"),
    ],
)  # fmt: skip
def test_steps_are_told_as_they_were_written(created_by: str, label: str) -> None:
    assert label_of(LayerSize("", "", 1, 1, created_by)) == label


PATHS: Final = st.sampled_from(["a", "b/c", "b/d", "e/f/g", "h"])
SIZES: Final = st.integers(min_value=-1, max_value=50_000)
CONTENTS: Final = st.dictionaries(PATHS, st.sampled_from(["x", "y"]), max_size=1)


def layers(origin: str) -> st.SearchStrategy[list[Layer]]:
    made = st.builds(
        Layer,
        st.sampled_from(["COPY a /", "COPY b /", "RUN c", "RUN d"]),
        st.dictionaries(PATHS, SIZES, max_size=4),
        st.just(origin),
    )
    return st.lists(made, max_size=4)


def packages() -> st.SearchStrategy[list[Package]]:
    return st.lists(
        st.builds(
            Package,
            st.sampled_from(["dpkg", "npm"]),
            st.sampled_from(["p", "q"]),
            st.sampled_from(["1", "2"]),
            st.integers(0, 9999),
            st.just(1),
            st.just(0),
        ),
        max_size=4,
    )


IMAGES: Final[st.SearchStrategy[ImageSizes]] = st.builds(
    lambda base, own, found: image(*base, *own, packages=found),
    layers("base"),
    layers("own"),
    packages(),
)


@given(IMAGES, IMAGES)
def test_base_and_own_add_up_and_so_do_layers_packages_and_files(
    now: ImageSizes, before: ImageSizes
) -> None:
    found = against(now, before)
    for each in found.growth:
        assert each.base is not None or each.metric == "on disk"
        assert each.own is not None or each.metric == "on disk"
        if each.base is not None and each.own is not None:
            assert each.base + each.own == each.total
    assert sum(each.bytes for each in found.layers) == growth(found, "unpacked").total
    assert sum(each.bytes for each in found.files) == growth(found, "visible").total
    sizes = [sum(p.size_bytes for p in i.contents.packages) for i in (now, before) if i.contents]
    assert sum(each.bytes for each in found.packages) == sizes[0] - sizes[1]


@given(IMAGES)
def test_an_image_does_not_differ_from_itself(one: ImageSizes) -> None:
    found = against(one, one)
    assert found.kind == "same"
    assert (found.layers, found.packages, found.files) == ((), (), ())
    assert all(not each.total for each in found.growth)


@given(IMAGES, IMAGES)
def test_the_other_way_round_each_figure_has_the_other_sign(
    now: ImageSizes, before: ImageSizes
) -> None:
    there, back = against(now, before), against(before, now)
    assert there.kind == back.kind
    for one, other in zip(there.growth, back.growth, strict=True):
        assert (one.total or 0) == -(other.total or 0)
        assert (one.base or 0) == -(other.base or 0)
        assert (one.own or 0) == -(other.own or 0)
    of: list[Callable[[Comparison], tuple[Difference, ...]]] = [
        lambda found: found.layers,
        lambda found: found.packages,
        lambda found: found.files,
    ]
    for each in of:
        sizes = [sorted(d.bytes for d in each(found)) for found in (there, back)]
        assert sizes[0] == sorted(-size for size in sizes[1])
