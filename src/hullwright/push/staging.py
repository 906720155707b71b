"""Brings content to a registry without a tag that anybody looks for, and clears up behind it.

The engine's own builder cannot push by digest, so its images go out under a staging tag that is
named by their fingerprint. That name is also how another run finds them: what was staged by a
release that failed is not built again.
"""

from __future__ import annotations

import random
import re
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from hullwright.errors import CheckFailedError, UnavailableError
from hullwright.push.moving import at
from hullwright.push.together import together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hullwright.push.models import Clients, Content
    from hullwright.workspace import Workspace

# The engine itself sends this many layers at once; more pushes would only wait for each other.
_PUSHES: Final = 4
_TRIES: Final = 5
_FIRST_PAUSE_S: Final = 0.5
# What no second try helps with; the registry's client has told of everything that has a status.
_FINAL: Final = re.compile(
    r"denied|unauthori[sz]ed|forbidden|insufficient[_ ]scope|authentication required|quota|"
    r"no basic auth|no space left|does not exist|No such image",
    re.IGNORECASE,
)
_NO_SINGLE_TAGS: Final = (
    "this registry removes no single tags, and a digest would take the release with it"
)


@dataclass
class Stager:
    """Stages the content of one release.

    Attributes:
        ws: the repository; its runner drives the engine.
        clients: of the registries.
        pause: waits so many seconds between two tries; returns whether there is to be no other.
    """

    ws: Workspace
    clients: Clients
    pause: Callable[[float], bool] | None = None
    _stop: threading.Event = field(default_factory=threading.Event)

    def stage(self, contents: Sequence[Content]) -> tuple[Content, ...]:
        """Return the content with the digest under which its registry has it now.

        What is there already is not sent again.

        Raises:
            CheckFailedError: an image is neither there nor in the local store.
            UnavailableError: the registry refuses it, or several tries failed.
        """
        return tuple(together(self._stage, contents, workers=_PUSHES, stop=self._stop))

    def _stage(self, content: Content) -> Content:
        client, path = at(self.clients, content.repository)
        if content.digest and client.describe(path, content.digest):
            if content.status == "built" and not content.local:
                self._mark(content)
            return replace(content, staged=True)
        if not (content.local and content.digest):
            told = f"the registry has no {content.reference}"
            raise CheckFailedError(
                f"{content.name} is not where its build said that it is",
                why=told if content.digest else "its build told no digest",
                next_step="build it again: invoke push --force",
            )
        return self._sent(content)

    def _mark(self, content: Content) -> None:
        """Give what a builder pushed by digest the tag by which other runs find it."""
        client, path = at(self.clients, content.repository)
        manifest = client.manifest(path, content.digest)
        if manifest:
            client.put_manifest(path, content.staging_tags[0], manifest)

    def _sent(self, content: Content) -> Content:
        tag = content.staging_tags[0]
        reference = f"{content.repository}:{tag}"
        self.ws.runner.run("docker", "tag", content.digest, reference)
        try:
            self._push(content, reference)
        finally:
            # Its own name is all that goes: the image has the one that its build gave it.
            self.ws.runner.run("docker", "image", "rm", reference, check=False)
        client, path = at(self.clients, content.repository)
        # The classic store makes the manifest while it pushes, so its digest is the registry's.
        found = client.describe(path, content.digest) or client.describe(path, tag)
        if found is None:
            raise CheckFailedError(f"the registry lost {reference} as soon as it had it")
        return replace(content, digest=found.digest, staged=True)

    def _push(self, content: Content, reference: str) -> None:
        client, path = at(self.clients, content.repository)
        for tried in range(1, _TRIES + 1):
            result = self.ws.runner.run("docker", "push", "--quiet", reference, check=False)
            if result.ok:
                return
            said = "\n".join(result.tail(5))
            # It tells a missing login, a missing right and a dead registry apart, in its own words.
            client.check_push(path)
            if tried == _TRIES or _FINAL.search(said):
                raise UnavailableError(
                    f"{content.repository} could not be pushed to",
                    why=[("said", said), ("tried", f"{tried} times" if tried > 1 else "once")],
                    next_step="look at the registry's log, then: invoke push   "
                    "(what was sent is not sent again)",
                )
            self.ws.console.note(f"! {reference}: {said.splitlines()[-1]}; trying again")
            # Several that failed together must not come back together.
            pause_s = _FIRST_PAUSE_S * 2 ** (tried - 1) * random.uniform(0.75, 1.25)  # noqa: S311  no secret
            if (self.pause or self._stop.wait)(pause_s):
                raise UnavailableError(f"the push to {content.repository} was interrupted")


def remove_staging_tags(
    clients: Clients, contents: Sequence[Content], tags_of: Callable[[Content], Sequence[str]]
) -> dict[str, str]:
    """Remove the staging tags of content that has its tags; return those that stay, and why.

    Only tags are removed, never manifests: deleting by digest would take the release with it. A
    registry that takes the image away with one of its tags gets it back, under all of them.

    Args:
        clients: of the registries.
        contents: what was pushed.
        tags_of: gives the release tags of content.
    """

    def remove(staged: tuple[Content, str]) -> tuple[str, str]:
        content, tag = staged
        client, path = at(clients, content.repository)
        try:
            # What a part's tag names is a piece of the image, and is needed as much as that.
            kept = client.manifest(path, tag)
            if kept is None:
                return "", ""
            why = "" if client.delete_tag(path, tag) else _NO_SINGLE_TAGS
            if not why and client.describe(path, kept.digest) is None:
                names = tags_of(content) if kept.digest == content.digest else ()
                for name in (*names, tag):
                    client.put_manifest(path, name, kept)
                why = "this registry removes an image with any of its tags; it was put back"
        except UnavailableError as error:
            # The release is done; what is left behind is listed by `prune --registry` too.
            why = error.what
        return (f"{content.repository}:{tag}", why) if why else ("", "")

    left = together(remove, [(each, tag) for each in contents for tag in each.staging_tags])
    return {reference: why for reference, why in left if reference}
