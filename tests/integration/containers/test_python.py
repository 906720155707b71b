"""What `python:3.13-slim-trixie` promises, held against whichever image of that name is here."""

from __future__ import annotations

import pytest

from composing import docker

pytestmark = pytest.mark.docker


def shell(image: str, script: str) -> list[str]:
    """Return the lines that a shell script prints in a new container."""
    words = ("run", "--rm", "--network=none", "--entrypoint=sh", image, "-euc", script)
    return docker(*words).splitlines()


def test_the_interpreter_is_where_and_what_the_image_says(python_image: str) -> None:
    asked = """
    for name in python python3 pip; do command -v $name; done
    python -c 'import platform; print(platform.python_version())'
    echo $PYTHON_VERSION
    """
    *paths, version, declared = shell(python_image, asked)
    assert paths == ["/usr/local/bin/python", "/usr/local/bin/python3", "/usr/local/bin/pip"]
    assert version == declared
    assert version.startswith("3.13.")


def test_pip_installs_beside_the_interpreter_and_into_environments(python_image: str) -> None:
    script = """
    mkdir /tmp/p && cd /tmp/p
    printf '[project]\\nname="p"\\nversion="1"\\n[project.scripts]\\np="p:main"\\n' > pyproject.toml
    mkdir -p p-1.dist-info && printf 'def main(): print("installed")\\n' > p.py
    printf 'Metadata-Version: 2.1\\nName: p\\nVersion: 1\\n' > p-1.dist-info/METADATA
    printf 'Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n' \
        > p-1.dist-info/WHEEL
    printf '[console_scripts]\\np = p:main\\n' > p-1.dist-info/entry_points.txt
    printf 'p.py,,\\np-1.dist-info/METADATA,,\\np-1.dist-info/WHEEL,,\\n' > p-1.dist-info/RECORD
    printf 'p-1.dist-info/entry_points.txt,,\\np-1.dist-info/RECORD,,\\n' >> p-1.dist-info/RECORD
    python -m zipfile -c p-1-py3-none-any.whl p.py p-1.dist-info
    pip install --quiet --no-index --root-user-action=ignore ./p-1-py3-none-any.whl
    command -v p; p; ls /usr/local/lib/python3.13/site-packages/p.py
    python -m venv /v && /v/bin/pip install --quiet --no-index ./p-1-py3-none-any.whl && /v/bin/p
    """
    assert shell(python_image, script) == [
        "/usr/local/bin/p",
        "installed",
        "/usr/local/lib/python3.13/site-packages/p.py",
        "installed",
    ]


def test_it_trusts_the_public_authorities_and_nobody_else(python_image: str) -> None:
    counted = """
    grep -c BEGIN /etc/ssl/certs/ca-certificates.crt
    cat /usr/share/ca-certificates/mozilla/*.crt | grep -c BEGIN
    find /usr/local/share/ca-certificates -type f | wc -l
    """
    trusted, public, local = shell(python_image, counted)
    assert trusted == public
    assert int(trusted) > 50
    assert local == "0"
