"""The git repository of a spec file: its root, its branches, where it is hosted."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from pipelines.files import real

_SECONDS = 10
_REMOTE = re.compile(
    r"(?:(?:https?|ssh|git)://)?(?:[^@/]+@)?(?P<host>[^/:]+)(?::\d+)?[/:](?P<name>.+?)(?:\.git)?/?"
)
_HOSTS = {
    "github.com": "GitHub",
    "gitlab.com": "GitLab",
    "bitbucket.org": "Bitbucket",
    "ssh.dev.azure.com": "AzureDevOps",
    "dev.azure.com": "AzureDevOps",
}


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
        url = self._git("remote", "get-url", "origin").strip()
        found = _REMOTE.fullmatch(url)
        return (found["host"], found["name"]) if found and "/" in found["name"] else None

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
