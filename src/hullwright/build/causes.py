"""Known causes of failed steps: what the words of tools mean, and what helps.

Only the failing step's own output and BuildKit's error are looked at, so that a warning of an
earlier step does not pass for the cause.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.build.models import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class _Known:
    words: re.Pattern[str]
    summary: str
    next_step: str


def _known(words: str, summary: str, next_step: str) -> _Known:
    return _Known(re.compile(words, re.IGNORECASE), summary, next_step)


# The first that matches is the likeliest; a step that fails for one reason often names others.
_KNOWN: Final = (
    _known(
        r"no space left on device|ENOSPC|disk quota exceeded",
        "the disk of the engine is full",
        "docker system df   shows what uses it; docker builder prune   frees build cache",
    ),
    _known(
        r"exec format error",
        "a program of another architecture was started, and no emulator for {arch} is registered",
        "invoke setup --install   (Debian: qemu-user-static and binfmt-support), "
        "or build for this machine's platform: --platform {host}",
    ),
    _known(
        r"multi-platform build is not supported for the docker driver|"
        r"docker exporter does not currently support exporting manifest lists",
        "this engine keeps one platform of an image: it uses the classic image store",
        'build one platform (--platform), or switch the engine\'s "containerd-snapshotter" '
        "feature on",
    ),
    _known(
        r"missing go\.sum entry|updates to go\.(?:mod|sum) needed|go\.mod file indicates|"
        r"verifying .*: checksum mismatch|inconsistent vendoring|go: go\.mod requires go",
        "go.mod and go.sum do not agree with each other, or with the sources",
        "go mod tidy   in the module's folder, then commit both files",
    ),
    _known(
        r"x509: |certificate verify failed|CERTIFICATE_VERIFY_FAILED|unable to get local issuer|"
        r"self[- ]signed certificate|SSL certificate problem|invalid peer certificate|"
        r"certificate is not trusted|SEC_ERROR_UNKNOWN_ISSUER",
        "the server's certificate is not trusted inside the build",
        "set [build] ca-bundle to the site's certificates, and let the step read them: "
        "RUN --mount=type=secret,id=ca-bundle,target=/etc/ssl/certs/ca-certificates.crt …",
    ),
    _known(
        r"permission denied",
        "the step may not read, write or execute a file, often one that was copied as root "
        "before USER, or without its execute bit",
        "COPY --chown=USER:GROUP or --chmod=0755 on the copied files; "
        "git update-index --chmod=+x FILE keeps the bit",
    ),
    _known(
        r'"[^"]*": not found$|failed to compute cache key|COPY failed|'
        r"failed to calculate checksum of ref",
        "a file that is copied is not in the build context",
        "look at the path, relative to the context, and at .dockerignore",
    ),
    _known(
        r"failed to resolve source metadata|pull access denied|insufficient_scope|"
        r"failed to do request|no match for platform in manifest",
        "a base image is neither in the local store nor to be had from its registry",
        "invoke images   shows which; invoke images --prepare   makes them present",
    ),
    _known(
        r"exit code: 137|signal: killed|out of memory|cannot allocate memory",
        "the step was killed, most often because memory ran out",
        "give the engine more memory, or the step fewer jobs",
    ),
    _known(
        r"exit code: 127|executable file not found",
        "the step starts a program that this stage does not contain",
        "install it in an earlier step of the stage, or start from a stage that has it",
    ),
    _known(
        r"temporary failure in name resolution|could not resolve host|no such host|"
        r"temporary failure resolving|name or service not known",
        "a name could not be resolved inside the build",
        "see that the engine has a name server: docker run --rm IMAGE cat /etc/resolv.conf",
    ),
)
_ARCH: Final = re.compile(r"->\w+/(?P<cross>[\w/]+)|/(?P<plain>[\w/]+)$")


def causes(
    texts: Iterable[str], *, platform: str = "", host: str = "linux/amd64"
) -> tuple[Cause, ...]:
    """Return the likeliest known cause of a failed step, or nothing where none is recognised.

    Args:
        texts: BuildKit's error and the step's output.
        platform: of the step, for a cause that names the architecture.
        host: platform of this machine.
    """
    told = "\n".join(texts)
    names = {"arch": _architecture(platform) or "it", "host": host}
    for known in _KNOWN:
        if known.words.search(told):
            return (Cause(known.summary.format(**names), known.next_step.format(**names)),)
    return ()


def _architecture(platform: str) -> str:
    match = _ARCH.search(platform)
    return (match["cross"] or match["plain"]) if match else ""
