"""Known causes of failed steps: what the words of tools mean, and what helps.

Only the failing step's own output and BuildKit's error are looked at, so that a warning of an
earlier step does not pass for the cause.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.build.outcome import Cause

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
        "a file system of the build is full, most often the disk of the engine",
        "docker system df   shows what uses it; docker builder prune   frees build cache",
    ),
    _known(
        r"multi-platform build is not supported for the docker driver|"
        r"docker exporter does not currently support exporting manifest lists",
        "this engine keeps one platform of an image: it uses the classic image store",
        'build one platform (--platform), or switch the engine\'s "containerd-snapshotter" '
        "feature on",
    ),
    _known(
        r"verifying .*: checksum mismatch|SECURITY ERROR\s+This download does NOT match",
        "a Go module is not the one that go.sum recorded",
        "find out which of the two is right before go.sum is changed; a proxy in between can be it",
    ),
    _known(
        # A user who may not write go.sum is told so where it would have to be updated.
        r"missing go\.sum entry|updat(?:es to|ing) go\.(?:mod|sum)\b|no required module provides|"
        r"cannot find module providing package|inconsistent vendoring",
        "go.mod and go.sum do not agree with each other, or with the sources",
        "go mod tidy   in the module's folder, then commit both files",
    ),
    _known(
        r"go\.mod requires go >=",
        "go.mod asks for a newer Go than the stage has",
        "a newer base image for that stage, or an older version in go.mod's go line",
    ),
    _known(
        r"x509: |certificate verify failed|CERTIFICATE_VERIFY_FAILED|unable to get local issuer|"
        r"self[- ]signed certificate|SSL certificate problem|invalid peer certificate|"
        r"certificate is not trusted|SEC_ERROR_UNKNOWN_ISSUER",
        "the server's certificate is not trusted inside the build",
        "let the step read the site's certificates, which every build gets as a secret where "
        "[build] ca-bundle or SSL_CERT_FILE names them: RUN --mount=type=secret,id=ca-bundle,"
        "target=/etc/ssl/certs/ca-certificates.crt …",
    ),
    _known(
        r"unable to find (?:user|groups? )",
        "USER names someone whom the image does not know",
        "create the user in an earlier step, or write numbers for both: USER 10001:10001",
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
        r"no match for platform in manifest",
        "a base image is there, but not for the platform that is built",
        "docker image inspect IMAGE   shows which it has; build for that with --platform, "
        "or docker pull --platform … IMAGE",
    ),
    _known(
        r"failed to resolve source metadata for \S+@sha256:",
        "a base image that is pinned by its digest, in images.lock or in the Dockerfile, is "
        "neither in the local store nor to be had from its registry; a stand-in of that name is "
        "another image",
        "invoke images   shows what is locked; where its registry can be reached: invoke images "
        "--update NAME   takes what the name means now",
    ),
    _known(
        r"failed to resolve source metadata|pull access denied|insufficient_scope|"
        r"failed to do request",
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
_EXEC_FORMAT: Final = re.compile(r"exec format error", re.IGNORECASE)
_ARCH: Final = re.compile(r"(?:->)?[a-z]+/(?P<arch>[a-z0-9/]+)$")


def causes(texts: Iterable[str], *, platform: str, host: str) -> tuple[Cause, ...]:
    """Return the likeliest known cause of a failed step, or nothing where none is recognised.

    Args:
        texts: BuildKit's error and the step's output.
        platform: that the step ran for, such as `linux/arm64`; empty for the builder's own.
        host: platform of this machine.
    """
    told = "\n".join(texts)
    if _EXEC_FORMAT.search(told):
        return (_exec_format(platform or host, host),)
    for known in _KNOWN:
        if known.words.search(told):
            return (Cause(known.summary, known.next_step),)
    return ()


def _exec_format(platform: str, host: str) -> Cause:
    if platform == host:
        return Cause(
            f"a program of another platform than {platform} was started, "
            "or a script without a #! line",
            "look at --platform in FROM, at what was copied into the stage, "
            "and at the base image's platform: docker image inspect IMAGE",
        )
    match = _ARCH.search(platform)
    return Cause(
        f"a program for {platform} was started, and this machine ({host}) has no emulator for "
        f"{match['arch'] if match else platform}",
        "invoke setup --install   (Debian: qemu-user-static and binfmt-support), "
        f"or build for this machine: --platform {host}",
    )
