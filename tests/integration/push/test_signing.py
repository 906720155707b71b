"""Releases that are signed by the real cosign, and pulls that take only what a trusted key signed.

No transparency log is asked: the tests have no way to one.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from hullwright.run import cache_dir
from signatures import KeyPair, key_pair, signed_digests
from vaults import Key, Vault

from .conftest import Yard, sha, yard_in
from .parting import BOTH, PLATFORMS, prepared

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

# The variable that a secrets file would give; of this repository's own name.
_KEY = "RELEASE_KEY"
_TAGS = 'tags = [{ type = "sha" }, { type = "ref", event = "branch" }]\n'


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, KeyPair]:
    """Two key pairs: ours, and somebody else's."""
    folder = tmp_path_factory.mktemp("keys")
    return {name: key_pair(folder / name, os.environ) for name in ("ours", "theirs")}


@pytest.fixture
def yard(busybox: str, tmp_path: Path, keys: dict[str, KeyPair]) -> Iterator[Yard]:
    """A repository of a service that signs what it pushes, and trusts its own key."""
    configuration = f'[signing]\nkey = "env:{_KEY}"\ntrusted = ["ours.pub"]\n'
    with yard_in(tmp_path, 1, tags=_TAGS, configuration=configuration) as made:
        for name, pair in keys.items():
            made.matrix.repository.write(f"{name}.pub", pair.public)
        made.matrix.commit()
        made.matrix.environ |= {_KEY: keys["ours"].private, "COSIGN_PASSWORD": "a password"}
        yield made


def _releases(yard: Yard) -> dict[str, str]:
    """Return the tags of people."""
    return {
        name: digest
        for name, digest in yard.all_tags().items()
        if not name.partition(":")[2].startswith("sha256-")
    }


def test_every_image_is_signed_by_digest_before_any_tag_and_pulled_by_that(yard: Yard) -> None:
    assert f"sign  with env:{_KEY}, by digest" in yard.push("--dry")
    told = json.loads(yard.matrix.run("push", "--format", "json").stdout)
    digests = {image["digest"] for image in told["images"]}
    assert {one["reference"].partition("@")[2] for one in told["signatures"]} == digests
    assert {(one["key"], one["already"]) for one in told["signatures"]} == {(f"env:{_KEY}", False)}
    puts = [seen.path for seen in yard.proxy.seen if seen.method == "PUT"]
    signed = [number for number, path in enumerate(puts) if path.endswith(".sig")]
    tagged = [number for number, path in enumerate(puts) if path.endswith((sha(yard), "/main"))]
    assert signed
    assert max(signed) < min(tagged)
    for service in yard.matrix.names:
        assert signed_digests(yard.tags(service)) == {_releases(yard)[f"{service}:main"]}
    # Again: what is signed is not signed once more.
    again = json.loads(yard.matrix.run("push", "--format", "json").stdout)
    assert {one["already"] for one in again["signatures"]} == {True}
    yard.matrix.remove()
    planned = yard.matrix.run("--dry", "pull").stdout
    assert "first, of each: a signature by ours.pub" in planned
    assert not yard.matrix.images()
    pulled = yard.matrix.json("pull")
    assert {image["signed_by"] for image in pulled["images"]} == {"ours.pub"}
    assert {image["digest"] for image in pulled["images"]} == digests
    # Neither the private key nor its password is in what is kept of these runs.
    kept = b"".join(
        file.read_bytes()
        for file in (yard.matrix.root / ".hullwright").rglob("*")
        if file.is_file()
    )
    assert b"PRIVATE KEY" not in kept
    assert b"a password" not in kept


def test_an_index_is_signed_with_all_that_it_points_at(yard: Yard) -> None:
    yard.matrix.repository.write(
        "hullwright.toml",
        (yard.matrix.root / "hullwright.toml").read_text(encoding="utf-8")
        + '[build]\nattestations = ["provenance"]\n',
    )
    yard.matrix.commit()
    yard.push("s0")
    index = _releases(yard)["s0:main"]
    entries = {entry["digest"] for entry in yard.document("s0", "main")["manifests"]}
    assert len(entries) == 2
    assert signed_digests(yard.tags("s0")) == {index, *entries}
    listed = yard.matrix.json(
        "images", "--attestations", f"{yard.matrix.registry}/{yard.matrix.project}/s0:main"
    )
    (image,) = listed["images"]
    assert [one["kind"] for one in image["attached"]] == ["provenance", "signature"]
    assert listed["place"] == "registry"
    assert len(listed["signatures"]) == 1


def test_a_part_is_not_signed_and_what_a_join_made_of_parts_is(yard: Yard) -> None:
    configured = yard.matrix.root / "hullwright.toml"
    own = configured.read_text(encoding="utf-8")
    yard.matrix.repository.write(
        "hullwright.toml", own.replace("[signing]", f"{PLATFORMS}[signing]")
    )
    prepared(yard)
    yard.matrix.repository.git("tag", "v7.0.0")
    for platform in BOTH:
        done = yard.matrix.run("push", "--part", "--platform", platform)
        # A part moves no tag, so nobody is told of the names of another one.
        assert "also tagged" not in done.stderr
    assert signed_digests(yard.tags("s0")) == set()
    joined = yard.matrix.run("push", "--join", "--format", "json")
    assert "the commit is also tagged v7.0.0" in joined.stderr
    index = _releases(yard)["s0:main"]
    entries = {entry["digest"] for entry in yard.document("s0", "main")["manifests"]}
    assert len(entries) == len(BOTH)
    assert signed_digests(yard.tags("s0")) == {index, *entries}
    assert {
        one["reference"].partition("@")[2] for one in json.loads(joined.stdout)["signatures"]
    } == {index}


def test_what_nobody_signed_is_not_pulled_and_nothing_of_it_is_kept(yard: Yard) -> None:
    configured = yard.matrix.root / "hullwright.toml"
    signing = f'key = "env:{_KEY}"\n'
    configured.write_text(configured.read_text(encoding="utf-8").replace(signing, ""))
    yard.matrix.commit()
    yard.push()
    assert not signed_digests(yard.tags("s0"))
    yard.matrix.remove()
    said = yard.matrix.run("pull", code=1).stderr
    assert "1 image is not signed by a key that is trusted, so nothing was fetched" in said
    assert "it is not signed" in said
    assert not yard.matrix.images()


def test_a_signature_of_another_key_is_none(yard: Yard, keys: dict[str, KeyPair]) -> None:
    yard.matrix.environ[_KEY] = keys["theirs"].private
    yard.push("s0")
    yard.matrix.remove()
    said = yard.matrix.run("pull", "s0", code=1).stderr
    assert "it is signed, and by no key that is trusted here" in said
    assert "ours.pub" in said
    assert not yard.matrix.images()
    # One of several keys is enough.
    configured = yard.matrix.root / "hullwright.toml"
    text = configured.read_text(encoding="utf-8")
    configured.write_text(text.replace('["ours.pub"]', '["ours.pub", "theirs.pub"]'))
    assert yard.matrix.json("pull", "s0")["images"][0]["signed_by"] == "theirs.pub"


def test_a_key_that_does_not_open_ends_a_push_before_anything_is_built(yard: Yard) -> None:
    said = yard.push(code=2, COSIGN_PASSWORD="another")
    assert "the key that signs cannot be opened" in said
    assert "decryption failed" in said
    assert not _releases(yard)
    assert not yard.matrix.images()


def test_a_push_without_its_key_says_where_it_was_looked_for(yard: Yard) -> None:
    del yard.matrix.environ[_KEY]
    said = yard.push(code=2)
    assert f"there is no key {_KEY} to sign with" in said
    assert f"invoke secrets.set --key {_KEY}" in said
    assert not yard.matrix.images()


def test_without_cosign_nothing_is_built_or_pulled(yard: Yard, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("docker", "git"):
        (folder / name).symlink_to(shutil.which(name) or name)
    path = {"PATH": str(folder), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    kept = {key: value for key, value in os.environ.items() if key == "DOCKER_CONFIG"}
    said = yard.push(code=3, **path, **kept)
    assert "cosign is not on PATH" in said
    assert "invoke setup --install" in said
    assert not yard.matrix.images()
    said = yard.matrix.run("pull", code=3, **path, **kept).stderr
    assert "[signing] trusted says that what is pulled is to be signed" in said


def test_key_and_password_of_the_secrets_file_sign_too(
    yard: Yard, keys: dict[str, KeyPair]
) -> None:
    for name in (_KEY, "COSIGN_PASSWORD"):
        del yard.matrix.environ[name]
    # Tools that setup built are found there by tasks, and by tests only if they say so.
    yard.matrix.environ["PATH"] += f"{os.pathsep}{cache_dir(os.environ) / 'bin'}"
    nobody = Key(yard.matrix.root, "")
    vault = Vault(yard.matrix.repository, nobody, nobody)
    age = vault.key(yard.matrix.root / "deploy/environments/development.agekey")
    pem = "".join(f"  {line}\n" for line in keys["ours"].private.splitlines())
    vault.seal(".env.sops.yaml", f"{_KEY}: |\n{pem}COSIGN_PASSWORD: a password\n", age)
    yard.matrix.commit()
    said = yard.push("--echo")
    assert signed_digests(yard.tags("s0")) == {_releases(yard)["s0:main"]}
    assert "--key env://HULLWRIGHT_SIGNING_KEY" in said
    assert "a password" not in said
    assert keys["ours"].private.splitlines()[1] not in said


def test_a_gate_that_refuses_leaves_nothing_signed(yard: Yard) -> None:
    configured = yard.matrix.root / "hullwright.toml"
    text = configured.read_text(encoding="utf-8")
    configured.write_text(f"{text}\n[push]\ngates = [\"sh -c 'exit 3'\"]\n")
    yard.matrix.commit()
    yard.push(code=1)
    assert not signed_digests(yard.tags("s0"))
    assert not _releases(yard)
