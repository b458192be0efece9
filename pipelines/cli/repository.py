"""The git repository of a spec file: its root, its branches, where it is hosted."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from pipelines.files import real

_SECONDS = 10
_NAME = r"/*(?P<name>.+?)(?:\.git)?/?"
_URL = re.compile(rf"(?:https?|ssh|git)://(?:[^/]*@)?(?P<host>[^/:@]+)(?::\d+)?/{_NAME}")
_SHORT = re.compile(rf"(?:[^/:@]+@)?(?P<host>[^/:@]+):(?!//){_NAME}")
"""How git writes an address: as a URL, or as ssh does; anything else is a path of this machine."""

_USER = re.compile(r"[a-z][a-z0-9+.-]*://(?P<user>[^/]*)@", re.IGNORECASE)
_SHORTEST_TOKEN = 20
_HOSTS = {
    "github.com": "GitHub",
    "gitlab.com": "GitLab",
    "bitbucket.org": "Bitbucket",
    "ssh.dev.azure.com": "AzureDevOps",
    "dev.azure.com": "AzureDevOps",
}


def holds_a_secret(url: str) -> bool:
    """Return whether a URL has a password or a token in it; a user's name alone is none."""
    found = _USER.match(url)
    user = found["user"] if found else ""
    return ":" in user or len(user) >= _SHORTEST_TOKEN or "token=" in url


def repository_at(url: str) -> tuple[str, str] | None:
    """Return the host and the name of a repository by its URL, without what else is in it."""
    address = url.partition("?")[0]
    found = _URL.fullmatch(address) or _SHORT.fullmatch(address)
    return (found["host"], found["name"]) if found and "/" in found["name"] else None


class Repository:
    """A repository; a folder that is in none is taken for one that is still to be made.

    Args:
        file: a file of it.
    """

    def __init__(self, file: Path) -> None:
        folder = real(file).parent
        places = (one for one in (folder, *folder.parents) if (one / ".git").exists())
        found = next(places, None)
        self.is_there = found is not None
        self.root = found or folder

    @cached_property
    def remote(self) -> tuple[str, str] | None:
        """The host and the name of the remote `origin`: `("github.com", "owner/name")`."""
        return repository_at(self._origin)

    @property
    def warnings(self) -> Iterator[str]:
        """What a person should know of it."""
        if holds_a_secret(self._origin):
            yield (
                "the URL of the remote `origin` holds a password or a token: nothing that is"
                " written here has it, but .git/config does; a credential helper keeps it better"
            )

    @cached_property
    def _origin(self) -> str:
        return self._git("remote", "get-url", "origin").strip()

    @property
    def provider(self) -> str:
        """Who hosts it, as CodeConnections calls it; GitHub where that is not known."""
        return _HOSTS.get(self.remote[0] if self.remote else "", "GitHub")

    @property
    def own_host(self) -> str | None:
        """The host, where it is none that everybody uses: a GitLab of one's own, say.

        A name without a dot is an alias of somebody's ssh configuration.
        """
        host = self.remote[0] if self.remote else None
        return None if host is None or host in _HOSTS or "." not in host else host

    @cached_property
    def branches(self) -> frozenset[str]:
        """The branches that are known here, of `origin` too."""
        listed = self._git(
            "for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes/origin"
        )
        current = self._git("symbolic-ref", "--short", "HEAD").split()
        names = (
            line.split("/", 2 if line.startswith("refs/heads/") else 3)[-1]
            for line in listed.split()
        )
        return frozenset((*names, *current)) - {"HEAD"}

    def ignored(self, paths: Iterable[str]) -> frozenset[str]:
        """Return which paths, relative to the root, git leaves out, and no commit has."""
        given = sorted(paths)
        found = self._git("check-ignore", "-z", "--stdin", given="\0".join(given))
        return frozenset(found.split("\0")) - {""}

    def _git(self, *words: str, given: str = "") -> str:
        if not self.is_there:
            return ""
        try:
            command = ("git", *words)
            done = subprocess.run(
                command,
                cwd=self.root,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                input=given,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout if done.returncode == 0 else ""
