"""Growth from the command line, on real builds: its cause, the gate, new budgets, the registry."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import pytest

from e2e.conftest import Shop, told
from registries import registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

CONFIG: Final = """\
registry = "{registry}"
[services.api]
budgets = [{{ metric = "unpacked", hard = "10MB", own-growth = "10kB" }}]
"""
DOCKERFILE: Final = "FROM IMAGE\nCOPY seed /seed\nCOPY app /app\n"
GROWN: Final = 300_000


@pytest.fixture
def kept(shop: Shop, tmp_path: Path) -> Iterator[Shop]:
    """Yield a service of one commit, with a registry to push to."""
    folder = tmp_path / "registry"
    folder.mkdir()
    with registry(folder) as address:
        shop.write("hullwright.toml", CONFIG.format(registry=address))
        shop.write("Dockerfile", DOCKERFILE)
        shop.write("seed/one", "1")
        shop.write("app/main", "main")
        yield shop.commit()


@pytest.fixture
def grown(kept: Shop) -> Shop:
    """Return a service whose second commit adds a file of 300 kB to a step; both were built."""
    kept.call("hullwright", "build")
    kept.write("app/model.bin", "m" * GROWN)
    kept.commit()
    kept.call("hullwright", "build")
    return kept


def against(shop: Shop, *words: str, code: int = 0) -> dict[str, Any]:
    words = ("--against", "HEAD~1", "--format", "json", *words)
    done = shop.call("hullwright", "sizes", *words, code=code)
    (image,) = json.loads(done.stdout)["images"]
    result: dict[str, Any] = image
    return result


def test_growth_is_told_by_its_step_and_file_and_held_until_it_is_accepted(grown: Shop) -> None:
    image = against(grown, code=1)
    compared = image["compared"]
    assert "COPY app" in compared["cause"]
    assert "/app/model.bin 300.0 kB" in compared["cause"]
    (unpacked,) = [each for each in compared["growth"] if each["metric"] == "unpacked"]
    assert (unpacked["base"], unpacked["own"]) == (0, GROWN)
    assert image["budgets"][0]["exceeded"] == "own-growth"
    shown = grown.call("hullwright", "sizes", "--against", "HEAD~1", code=1).stdout
    assert shown.startswith(f"✗ {compared['cause']}\n")
    assert "own growth ≤ 10.0 kB ✗" in shown
    markdown = grown.call(
        "hullwright", "sizes", "--against", "HEAD~1", "--format", "markdown", code=1
    ).stdout
    assert markdown.startswith("### Image sizes against `HEAD~1`\n\n- ✗ ")

    planned = grown.call(
        *("hullwright", "--dry", "sizes", "--against", "HEAD~1"),
        *("--update-budgets", "--reason", "a model"),
    )
    assert re.search(r"own-growth +10.0 kB → 330.0 kB +\(measured 300.0 kB\)", planned.stdout)
    assert "a model" not in (grown.path / "hullwright.toml").read_text(encoding="utf-8")
    grown.call(
        *("hullwright", "sizes", "--against", "HEAD~1"),
        *("--update-budgets", "--reason", "a model"),
    )
    assert "a model" in (grown.path / "hullwright.toml").read_text(encoding="utf-8")
    assert against(grown)["verdict"] == "ok"


def test_a_registry_tells_compressed_from_manifests_and_the_rest_with_deep(kept: Shop) -> None:
    done = kept.call("hullwright", "sizes", "--registry", code=1)
    assert any(line.startswith("next ") for line in told(done.stderr))
    kept.call("hullwright", "push")
    measured = kept.call("hullwright", "sizes", "--registry", "--format", "json")
    (image,) = json.loads(measured.stdout)["images"]
    assert image["compressed_bytes"] == sum(each["compressed_bytes"] for each in image["layers"])
    assert image["on_disk_bytes"] is None
    shown = kept.call("hullwright", "sizes", "--registry", "--deep").stdout
    assert "COPY app /app" in shown
    assert "\n  directories " in shown
