"""Releases are promoted by digest: all of their images, or none."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flaky import denied
from hullwright.tasks import info, releasing

if TYPE_CHECKING:
    from flaky import Proxy
    from releasing import Runs, Shop

pytestmark = pytest.mark.docker


@pytest.fixture
def tag() -> str:
    """A tag that no other test gives."""
    return f"env-{secrets.token_hex(4)}"


def both(shop: Shop, tag: str) -> dict[str, str]:
    """Return what a tag names for each service; empty where it does not exist."""
    return {service: shop.named(service, tag) for service in shop.digests}


def test_every_image_gets_the_tag_with_the_digest_of_the_release(
    shop: Shop, run: Runs, tag: str
) -> None:
    done = run(releasing.promote, release=shop.file(), to=tag)
    assert done.code == 0, done.err
    assert both(shop, tag) == shop.digests
    assert done.out.startswith(f"shop 1.4.1 is {tag}: 2 tags moved in 0.")
    assert f"  ✓  {shop.repository('api')}:{tag}  {shop.digests['api'][:19]}  new" in done.out
    again = run(releasing.promote, release=shop.file(), to=tag)
    assert again.out.startswith(f"shop 1.4.1 is {tag} already\n")


def test_a_promotion_leaves_a_record(shop: Shop, run: Runs, tag: str) -> None:
    run(releasing.promote, release=shop.file(), to=tag)
    (record,) = run(info.history, format="json").json()["records"]
    assert (record["kind"], record["status"], record["version"]) == ("promote", "done", "1.4.1")
    assert record["data"]["tag"] == tag


def test_the_hooks_of_a_promotion_get_the_digests_and_can_stop_it(
    shop: Shop, run: Runs, tag: str
) -> None:
    with (shop.root / "hullwright.toml").open("a", encoding="utf-8") as file:
        file.write("[hooks]\nbefore-promote = \"sh -c 'cat >hook.json; exit 1'\"\n")
    done = run(releasing.promote, release=shop.file(), to=tag)
    assert done.code == 1
    assert "the hook before-promote stopped this run" in done.err
    assert both(shop, tag) == {"api": "", "web": ""}
    told = json.loads((shop.root / "hook.json").read_text(encoding="utf-8"))
    references = [f"{shop.repository(name)}@{digest}" for name, digest in shop.digests.items()]
    assert (told["tag"], told["references"]) == (tag, references)


def test_a_dry_run_shows_which_tags_would_move_and_moves_none(
    shop: Shop, run: Runs, tag: str
) -> None:
    done = run.dry(releasing.promote, release=shop.file(), to=tag)
    assert done.code == 0
    assert done.out.startswith(f"promote shop 1.4.1 to {tag}\n\n2 tags in 2 repositories\n")
    assert both(shop, tag) == {"api": "", "web": ""}


def test_a_release_whose_image_is_gone_is_refused_and_the_image_is_named(
    shop: Shop, run: Runs, tag: str
) -> None:
    file, gone = Path(shop.file()), f"sha256:{'0' * 64}"
    text = file.read_text(encoding="utf-8").replace(shop.digests["web"], gone)
    file.write_text(text, encoding="utf-8")
    done = run(releasing.promote, release=f"{file}", to=tag)
    assert done.code == 1
    assert "1 of 2 images of shop 1.4.1 is not in the registry, so no tag was moved" in done.err
    assert f"web   {shop.repository('web')}@{gone}" in done.err
    assert both(shop, tag) == {"api": "", "web": ""}


def test_a_version_that_names_another_image_is_refused(shop: Shop, run: Runs) -> None:
    before = shop.store_another("api", "1.4.0")
    done = run(releasing.promote, release=shop.file(), to="1.4.0")
    assert done.code == 1
    assert f"{shop.repository('api')}:1.4.0 names another image already" in done.err
    assert before in done.err
    assert shop.digests["api"] in done.err
    assert both(shop, "1.4.0") == {"api": before, "web": ""}


def test_a_failure_in_the_middle_restores_what_had_moved(
    shop: Shop, run: Runs, tag: str, proxy: Proxy
) -> None:
    before = shop.store_another("api", tag)
    proxy.answer(403, method="PUT", path=r"/web/manifests/", times=None, body=denied("read-only"))
    done = run(releasing.promote, release=shop.file(proxy.address), to=tag)
    assert done.code == 1
    assert both(shop, tag) == {"api": before, "web": ""}
    assert f"✗ shop 1.4.1 is not {tag}" in done.out
    assert "read-only" in done.out
    record = run(info.history, format="json").json()["records"][0]
    assert (record["kind"], record["status"]) == ("promote", "failed")


def test_a_registry_that_is_not_there_is_3(shop: Shop, run: Runs, tag: str) -> None:
    done = run(releasing.promote, release=shop.file("127.0.0.1:1"), to=tag)
    assert done.code == 3
    assert "127.0.0.1:1 cannot be reached" in done.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"to": "prod"}, "--release is missing"),
        ({"release": "release.json"}, "--to is missing"),
        ({"release": "nowhere.json", "to": "prod"}, "nowhere.json cannot be read"),
        ({"release": "compose.yaml", "to": "prod"}, "compose.yaml is no release file"),
        ({"release": "release.json", "to": "a b"}, '"a b" is no legal tag'),
        ({"release": "r.json", "to": f"hullwright-{'0' * 32}"}, "is how content is staged"),
    ],
)
def test_what_cannot_be_meant_is_2(
    shop: Shop, run: Runs, arguments: dict[str, str], told: str
) -> None:
    done = run(releasing.promote, **arguments)
    assert done.code == 2
    assert told in done.err


def test_the_release_file_is_an_operand_of_hullwright(shop: Shop, tag: str) -> None:
    lines = (
        "from hullwright.tasks import collection, releasing\n\n"
        "ns = collection()\nns.add_task(releasing.promote)\n"
    )
    (shop.root / "tasks.py").write_text(lines, encoding="utf-8")
    program = str(Path(sys.executable).parent / "hullwright")
    words = [program, "promote", shop.file(), "--to", tag]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert both(shop, tag) == shop.digests
