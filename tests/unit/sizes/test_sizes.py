"""Which images are measured, what is asked of the engine, and what budgets say."""

from __future__ import annotations

import io
import json
import zlib
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import pytest

from archives import Layout, tar
from hullwright.build import BuildReport, TargetResult
from hullwright.config.models import Budget, Config, Service
from hullwright.errors import ExitCode, HullwrightError, UnavailableError, UsageError
from hullwright.images import Platform
from hullwright.recorded import RecordedImage, save
from hullwright.run import CommandError, Result
from hullwright.sizes import Figures, LayerSize, Subject, measure, of_build, subjects
from hullwright.sizes.budgets import judge
from hullwright.sizes.cache import Cache
from hullwright.sizes.reading import _row
from hullwright.tools.layers import File, LayerContent
from hullwright.tools.oci import ImageLayer, PlatformImage
from replaying import Call, Replay, workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hullwright.workspace import Workspace

DIGEST: Final = f"sha256:{'d' * 64}"
LAYER: Final = f"sha256:{'e' * 64}"
INSPECT: Final = ("docker", "image", "inspect")
INFO: Final = ("docker", "info")
FIGURES: Final = Figures(
    "linux/amd64", DIGEST, 1000, 3000, (LayerSize(LAYER, LAYER, 1000, 3000, "COPY a /"),)
)
# As a report has them: with each layer's step, which is not kept.
STEPPED: Final = replace(FIGURES, layers=(replace(FIGURES.layers[0], step="COPY a /"),))
CONFIG: Final = Config(
    "shop",
    services={
        "api": Service(
            "api",
            targets=("development", "production"),
            budgets=(Budget("unpacked", soft=2000, hard=4000),),
        ),
        "web": Service("web"),
    },
)


def recorded(service: str, target: str) -> RecordedImage:
    reference = f"{service}:1-{target}"
    at = datetime(2026, 11, 21, tzinfo=UTC)
    return RecordedImage(service, target, reference, DIGEST, "1", "", (), at)


def found(digest: str = DIGEST) -> Result:
    return Result(INSPECT, 0, json.dumps(digest) + "\n")


def answering(root: Path, result: Result) -> Workspace:
    return workspace(root, CONFIG, Replay({}, results={INSPECT: result}))


def cached(ws: Workspace, *rows: Figures) -> Workspace:
    Cache(_cache_root(ws)).keep_figures(DIGEST, rows or (FIGURES,))
    return ws


def _cache_root(ws: Workspace) -> Path:
    return ws.root / "cache" / "hullwright"


def test_without_a_name_every_recorded_image_is_meant(tmp_path: Path) -> None:
    ws = workspace(tmp_path, CONFIG)
    save(ws, [recorded("api", "production"), recorded("api", "development"), recorded("web", "")])
    assert [(s.service, s.target) for s in subjects(ws)] == [
        ("api", "development"),
        ("api", "production"),
        ("web", ""),
    ]
    assert [s.reference for s in subjects(ws, services=["web"])] == ["web:1-"]
    assert [s.target for s in subjects(ws, target="production")] == ["production"]


def test_what_is_no_longer_built_is_not_measured(tmp_path: Path) -> None:
    ws = workspace(tmp_path, CONFIG)
    (tmp_path / "Dockerfile").write_text("FROM scratch AS production\n", encoding="utf-8")
    kept = [recorded("api", "production"), recorded("web", "")]
    gone = [recorded("api", ""), recorded("api", "development"), recorded("shop", "production")]
    save(ws, [*kept, *gone])
    assert [(s.service, s.target) for s in subjects(ws)] == [("api", "production"), ("web", "")]


def test_a_named_image_is_the_service_that_recorded_it(tmp_path: Path) -> None:
    ws = workspace(tmp_path, CONFIG)
    save(ws, [recorded("api", "production")])
    assert subjects(ws, images=["api:1-production", "busybox:1"]) == (
        Subject("api:1-production", "api", "production", DIGEST),
        Subject("busybox:1"),
    )


def test_unknown_names_are_refused_with_the_known_ones(tmp_path: Path) -> None:
    ws = workspace(tmp_path, CONFIG)
    save(ws, [recorded("api", "production")])
    with pytest.raises(UsageError, match='unknown service "apo" — did you mean "api"') as raised:
        subjects(ws, services=["apo"])
    assert raised.value.exit_code == ExitCode.USAGE
    with pytest.raises(UsageError, match='unknown target "prodction" — did you mean "production"'):
        subjects(ws, target="prodction")


def test_before_the_first_build_there_is_nothing_to_measure(tmp_path: Path) -> None:
    with pytest.raises(HullwrightError, match="no image of web was built yet") as raised:
        subjects(workspace(tmp_path, CONFIG), services=["web"])
    assert raised.value.exit_code == ExitCode.FAILED
    assert "invoke build" in str(raised.value)


def test_what_was_measured_before_costs_one_look(tmp_path: Path) -> None:
    ws = cached(answering(tmp_path, found()))
    report = measure(ws, [Subject("api:1", "api", "production", DIGEST)])
    assert isinstance(ws.runner, Replay)
    assert [call.argv for call in ws.runner.calls] == [
        (*INSPECT, "--format", "{{json .Id}}", DIGEST)
    ]
    assert report.images[0].figures == STEPPED
    assert report.images[0].verdict == "warn"
    assert not report.failed


def test_figures_of_an_unchanged_build_ask_the_engine_nothing(tmp_path: Path) -> None:
    ws = cached(workspace(tmp_path, CONFIG))
    api = TargetResult("api", "production", (), "api:1", "built", digest=DIGEST, stored=True)
    web = TargetResult("web", "", (), "web:1", "built", digest=f"sha256:{'e' * 64}")
    assert of_build(ws, BuildReport((api, web), 0.0)) == {DIGEST: (FIGURES,)}


def test_the_figures_of_the_image_before_are_there_where_they_are_known(tmp_path: Path) -> None:
    ws = cached(workspace(tmp_path, CONFIG))
    other = f"sha256:{'e' * 64}"
    Cache(tmp_path / "cache" / "hullwright").keep_figures(other, (FIGURES,))
    api = TargetResult("api", "", (), "api:1", "built", digest=other, stored=True, before=DIGEST)
    assert set(of_build(ws, BuildReport((api,), 0.0))) == {other, DIGEST}
    unknown = replace(api, before=f"sha256:{'f' * 64}")
    assert set(of_build(ws, BuildReport((unknown,), 0.0))) == {other}


def test_a_development_stage_has_no_budget(tmp_path: Path) -> None:
    ws = cached(answering(tmp_path, found()))
    report = measure(ws, [Subject("api:1-dev", "api", "development", DIGEST)])
    assert report.images[0].budgets == ()
    assert report.images[0].verdict == "ok"


def test_platforms_narrow_the_rows_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    ws = cached(answering(tmp_path, found()), FIGURES, replace(FIGURES, platform="linux/arm64"))
    subject = Subject("web:1")
    assert len(measure(ws, [subject]).images) == 2
    narrowed = measure(ws, [subject], platforms=["linux/aarch64"])
    assert [image.figures.platform for image in narrowed.images] == ["linux/arm64"]
    with pytest.raises(UsageError, match=r'unknown platform of web:1 "linux/riscv64"'):
        measure(ws, [subject], platforms=["linux/riscv64"])


def test_a_missing_image_fails_or_is_listed(tmp_path: Path) -> None:
    gone = Result(INSPECT, 1, "", "Error response from daemon: No such image: web:1\n")
    ws = answering(tmp_path, gone)
    with pytest.raises(HullwrightError, match="web:1 is not in the local store") as raised:
        measure(ws, [Subject("web:1")])
    assert raised.value.exit_code == ExitCode.FAILED
    assert "docker pull web:1" in str(raised.value)
    assert measure(ws, [Subject("web:1")], skip_missing=True).missing == ("web:1",)


def test_an_engine_that_is_away_is_no_missing_image(tmp_path: Path) -> None:
    away = Result(INSPECT, 1, "", "Cannot connect to the Docker daemon at unix:///x.\n")
    with pytest.raises(UnavailableError) as raised:
        measure(answering(tmp_path, away), [Subject("web:1")])
    assert raised.value.exit_code == ExitCode.UNAVAILABLE
    with pytest.raises(CommandError, match="other"):
        measure(answering(tmp_path, Result(INSPECT, 1, "", "other")), [Subject("web:1")])


CONTENT: Final = LayerContent(
    LAYER,
    7,
    (File("a", "file", 7, content="0a" * 16), File("b", "symlink", link="a")),
    {"a": b"go\t1.26\n"},
)


def image(*, config_digest: str, readable: bool = True) -> PlatformImage:
    read = (CONTENT, "") if readable else (None, "it is garbage")
    layer = ImageLayer(LAYER, "tar", 10, LAYER, "", *read)
    return PlatformImage(Platform("linux", "amd64"), "sha256:manifest", config_digest, (layer,))


def test_the_classic_store_does_not_know_what_a_pull_transfers() -> None:
    row = _row(image(config_digest=DIGEST), DIGEST)
    assert (row.compressed_bytes, row.unpacked_bytes) == (None, 7)
    assert "known once it is pushed" in row.problem
    assert _row(image(config_digest="sha256:other"), DIGEST).compressed_bytes == 10
    # Nor does an archive of the older format, which has no manifest.
    assert _row(image(config_digest="sha256:manifest"), "").compressed_bytes is None


def test_a_layer_that_cannot_be_read_makes_the_sum_unknown() -> None:
    row = _row(image(config_digest="sha256:other", readable=False), DIGEST)
    assert row.unpacked_bytes is None
    assert row.problem == f"layer {LAYER}: it is garbage"


@pytest.mark.parametrize(
    ("budget", "verdict"),
    [
        (Budget("unpacked", soft=3000, hard=3000), "ok"),
        (Budget("unpacked", soft=2999, hard=3000), "warn"),
        (Budget("unpacked", soft=2998, hard=2999), "fail"),
        (Budget("compressed", hard=999), "fail"),
        (Budget("layers", hard=1), "ok"),
        (Budget("layers", soft=0), "warn"),
        (Budget("visible", hard=1), "unknown"),
        (Budget("unpacked", own_growth=1), "not applicable"),
        (Budget("unpacked", hard=5000, own_growth=1), "ok"),
    ],
)
def test_a_budget_has_a_verdict(budget: Budget, verdict: str) -> None:
    (result,) = judge([budget], FIGURES)
    assert result.verdict == verdict
    if budget.own_growth is not None:
        assert "needs a reference" in result.note


def test_a_cache_survives_what_it_cannot_read(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.keep_figures(DIGEST, (FIGURES,))
    assert cache.figures(DIGEST) == (FIGURES,)
    (path,) = (tmp_path / "sizes-3" / "images").iterdir()
    for content in ("", "[]", "{}", '{"rows": [{}]}'):
        path.write_text(content, encoding="utf-8")
        assert cache.figures(DIGEST) is None
    assert cache.figures("../../etc/passwd") is None


def test_a_cache_without_room_costs_time_only(tmp_path: Path) -> None:
    (tmp_path / "sizes-3").write_text("in the way", encoding="utf-8")
    cache = Cache(tmp_path)
    cache.keep_layer(CONTENT)
    assert cache.layer(LAYER) is None


def test_what_a_layer_holds_is_kept_whole(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.keep_layer(CONTENT)
    assert cache.layer(LAYER) == CONTENT
    (path,) = (tmp_path / "sizes-3" / "layers").iterdir()
    for content in (b"", zlib.compress(b"[]"), zlib.compress(b'{"files": [[]]}')):
        path.write_bytes(content)
        assert cache.layer(LAYER) is None


class Saving(Replay):
    """A runner whose `docker image save` gives the bytes of an archive, and ends as it likes."""

    archive = b""
    ended = 0

    @contextmanager
    def following(self, *argv: str, **_: object) -> Iterator[Any]:
        self.calls.append(Call(argv, None, None, None))
        yield SimpleNamespace(
            stdout=SimpleNamespace(buffer=io.BytesIO(self.archive)),
            stderr=io.StringIO("write: broken"),
            wait=lambda: self.ended,
            returncode=self.ended,
        )


def saving(root: Path, archive: bytes, ended: int = 0) -> Workspace:
    folder = Result(INFO, 0, f"{root}/engine\n")
    runner = Saving({}, results={INSPECT: found(), INFO: folder})
    runner.archive, runner.ended = archive, ended
    return workspace(root, CONFIG, runner)


def test_a_fresh_image_is_read_once_and_its_layers_are_kept(tmp_path: Path) -> None:
    layout = Layout()
    layout.image(tar({"a": b"x" * 300}), tar({"b": b"x" * 40}))
    ws = saving(tmp_path, layout.archive())
    for _ in range(2):
        (row,) = measure(ws, [Subject("web:1")]).images
        assert row.figures.unpacked_bytes == 340
    assert isinstance(ws.runner, Saving)
    saved = [call.argv for call in ws.runner.calls if call.argv[2] == "save"]
    assert saved == [("docker", "image", "save", DIGEST)]
    layers = [layer.digest for layer in row.figures.layers]
    cache = Cache(_cache_root(ws))
    assert [cache.layer(layer) is not None for layer in layers] == [True, True]


def test_a_corrupt_archive_names_the_image(tmp_path: Path) -> None:
    with pytest.raises(HullwrightError, match="web:1 cannot be measured: the archive is") as raised:
        measure(saving(tmp_path, b"garbage" * 500), [Subject("web:1")])
    assert raised.value.exit_code == ExitCode.FAILED


def test_an_archive_that_ends_early_is_the_failure_of_what_wrote_it(tmp_path: Path) -> None:
    layout = Layout()
    layout.image(tar({"a": b"x" * 3000}))
    with pytest.raises(CommandError, match="docker ended with 1") as raised:
        measure(saving(tmp_path, layout.archive()[:2000], ended=1), [Subject("web:1")])
    assert "write: broken" in str(raised.value)
