"""What our reading of ignore files takes is what the real BuildKit copies."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tarfile
from typing import TYPE_CHECKING, Final

import pytest

from hullwright.tools.buildcontext import Contexts
from hullwright.tools.dockerignore import ignore_file

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.docker

TREE: Final = (
    *("a.txt", "b.md", "README.md", "readme.md", "README-secret.md", "Dockerfile", ".dockerignore"),
    *("bar", "foobar", "foo/bar", "foo/barfoo", "foo/bar.txt", "foo/deep/er/bar", "foo/deep/x.md"),
    *("dir/one", "dir/two.tmp", "dir/sub/one", "dir/sub/keep", "dir/sub/sub/keep.txt", "dir2/one"),
    *("logs/a.log", "logs/b.log", "logs/old/c.log", "logs/keep.log", "x/logs/d.log", ".hidden"),
    *(".git/config", "x/.git/config", "node_modules/m/i.js", "x/node_modules/m/i.js", "a+b(c).txt"),
    *("star*file", "q?file", "[b]", "back\\slash", "sp ace", " lead", "#hash", "!bang", "ünïcode"),
    *(
        "z1",
        "z2",
        "zz",
        "z-",
        "z^",
        "m.n",
        "mxn",
        "tail ",
        "x/y/z/keep",
        "x/y/other",
        "a$b",
        "a{b}",
    ),
)
# What an awkward ignore file holds, by a name for its Dockerfile.
CORPUS: Final = {
    "empty": b"",
    "comments": b"# nothing\n   # a pattern\n#hash\n",
    "bom": b"\xef\xbb\xbfa.txt\n",
    "crlf": b"a.txt\r\nfoo/\r\n",
    "blank": b"\n\n   \n\t\na.txt   \n  b.md\n",
    "everything": b"*\n",
    "everything-twice": b"**\n",
    "only-some": b"*\n!foo\n!dir/sub/keep\n",
    "only-deep": b"**\n!x/y/z/keep\n",
    "only-wild": b"*\n!**/*.md\n",
    "only-wild-folder": b"*\n!*/sub\n",
    "taken-back-and-out": b"*.md\n!README*.md\nREADME-secret.md\n",
    "order-lost": b"README-secret.md\n!README*.md\n",
    "exception-first": b"!foo/bar\nfoo\n",
    "exception-of-parent": b"dir/sub\n!dir\n",
    "exception-inside": b"dir\n!dir/sub\ndir/sub/sub\n!dir/sub/sub/keep.txt\n",
    "anchored": b"bar\n",
    "leading-slash": b"/bar\n/foo/deep\n!/foo/deep/x.md\n",
    "two-slashes": b"//bar\n",
    "dot-slash": b"./bar\n./dir/../foo/bar\n./\n.\n..\n../bar\n",
    "trailing-slash": b"foo/\nbar/\n",
    "star-slash": b"*/bar\n*/one\n",
    "star-star-slash": b"**/bar\n",
    "star-star-name": b"**bar\n",
    "star-star-end": b"foo/**\n",
    "star-star-end-exception": b"logs/**\n!logs/keep.log\n",
    "star-star-middle": b"x/**/keep\nfoo/**/bar\n",
    "star-star-both": b"**/logs/**\n",
    "star-star-three": b"***/bar\n",
    "star-star-suffix": b"**/*.log\n!**/keep.log\n",
    "star-star-slash-end": b"dir/**/\n",
    "question": b"z?\nq??ile\n",
    "class": b"z[0-9]\n[b]\n",
    "class-not": b"z[^0-9]\n",
    "class-bang": b"z[!1]\n",
    "class-escaped": b"\\[b\\]\nz[\\^]\n",
    "escaped": b"star\\*file\nq\\?file\n\\#hash\n\\!bang\n",
    "backslash": b"back\\\\slash\n",
    "specials": b"a+b(c).txt\nm.n\na$b\na{b}\n",
    "specials-wild": b"a+b*\n?.n\na$*\na{*\n",
    "spaces": b"sp ace\n lead\ntail \n! sp ace\n",
    "unicode": "ünï*\n".encode(),
    "case": b"readme.md\n",
    "own": b"Dockerfile\n.dockerignore\n*.Dockerfile*\n",
    "hidden": b".*\n!.git\n",
    "dot-star": b"**/.git\n**/node_modules\n",
    "nested-exception": b"**\n!**/sub/**\n**/sub/sub\n",
    "prefix-name": b"dir*\n!dir2\n",
    "no-newline": b"a.txt",
}


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, set[str]]]:
    """The folder of the corpus, and what BuildKit copied under each ignore file of it."""
    root = tmp_path_factory.mktemp("corpus")
    tree, files, out = root / "tree", root / "files", root / "out"
    for path in TREE:
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(path)
    (tree / ".dockerignore").write_bytes(b"b.md\nlogs\n")
    (tree / "empty-folder/inside").mkdir(parents=True)
    (tree / "link").symlink_to("foo/bar")
    (tree / "link-folder").symlink_to("dir")
    (tree / "link-nowhere").symlink_to("../nowhere")
    os.mkfifo(tree / "pipe")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tree / "socket"))
    files.mkdir()
    targets = {}
    for name, content in {**CORPUS, "contexts-own": None}.items():
        (files / f"{name}.Dockerfile").write_text("FROM scratch\nCOPY . /\n")
        if content is not None:
            (files / f"{name}.Dockerfile.dockerignore").write_bytes(content)
        targets[name] = {
            "context": str(tree),
            "dockerfile": f"../files/{name}.Dockerfile",
            "output": [f"type=tar,dest={out / name}.tar"],
        }
    out.mkdir()
    document = {"group": {"default": {"targets": list(targets)}}, "target": targets}
    done = subprocess.run(
        ("docker", "buildx", "bake", "--file", "-", "--allow=fs=*", "--progress", "plain"),
        input=json.dumps(document),
        capture_output=True,
        text=True,
        check=False,
    )
    listener.close()
    assert done.returncode == 0, done.stderr[-3000:]
    return root, {name: _names(out / f"{name}.tar") for name in targets}


def _names(archive: Path) -> set[str]:
    with tarfile.open(archive) as tar:
        return {member.name.strip("/") for member in tar if member.name.strip("/")}


@pytest.mark.parametrize("name", [*CORPUS, "contexts-own"])
def test_what_we_take_is_what_the_builder_copies(
    name: str, contexts: tuple[Path, dict[str, set[str]]]
) -> None:
    root, copied = contexts
    found = ignore_file(root / f"files/{name}.Dockerfile", root / "tree")
    rules = found.read_bytes() if found else b""
    taken = Contexts(root / "memory.json", root / "state").of(root / "tree", rules)
    assert set(taken.files) == copied[name]


def test_the_corpus_leaves_out_different_files(
    contexts: tuple[Path, dict[str, set[str]]],
) -> None:
    _, copied = contexts
    assert len({frozenset(names) for names in copied.values()}) > len(CORPUS) * 3 // 4
