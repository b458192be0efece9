"""What `ci init` is told of a repository, held against what its host and the filters take."""

from __future__ import annotations

import re
import shlex
from typing import Final

from pipelines.cli.repository import Repository, repository_at
from pipelines.diagnostics.nearest import nearest
from pipelines.diagnostics.sentences import quoted
from pipelines.errors import UsageError
from pipelines.infra.model import Options

_BRANCH: Final = re.compile(r"[\w./@#=,+-]+")
_NAMES: Final = {
    "github": (re.compile(r"[\w.-]+/[\w.-]+"), "OWNER/NAME"),
    "gitlab": (re.compile(r"[\w.-]+(/[\w.-]+)+"), "GROUP/PROJECT"),
    "codepipeline": (re.compile(r"[^\s/*?]+(/[^\s/*?]+)+"), "OWNER/NAME"),
}
_HOSTS: Final = {"GitHub": "github", "GitLab": "gitlab"}


def require_branch(name: str, repository: Repository) -> None:
    """Refuse a branch that no push would ever match, or that a filter cannot name.

    Raises:
        UsageError: it is one.
    """
    known = sorted(repository.branches)
    if known and name not in known:
        close = nearest(name, known)
        advice = f"did you mean `{close}`?" if close else f"it has {quoted(known, 'and')}"
        raise UsageError(
            f"the repository has no branch `{name}`, so no push would start anything",
            f"name one with --branch: {advice}",
        )
    if not _BRANCH.fullmatch(name):
        raise UsageError(
            f"the branch `{name}` has characters that filters and conditions read as signs",
            "release a branch of letters, digits and any of . _ / @ # = , + -",
        )


def require_repository(options: Options, repository: Repository, given: str | None) -> None:
    """Refuse a repository that roles and connections could not name.

    Args:
        options: the repository that they would name.
        repository: the one that the spec is in.
        given: what `--repository` says.

    Raises:
        UsageError: it is not known, is no name of its host's, or is of another host.
    """
    runner, name = options.runner, options.repository
    if name is None:
        if runner == "codepipeline":
            return
        raise UsageError(
            "the repository is not known: there is no remote `origin`",
            "name it with --repository OWNER/NAME; the roles trust it and no other",
        )
    pattern, shape = _NAMES[runner]
    if given is not None and ("://" in given or "@" in given):
        found = repository_at(given)
        shape = shape if found is None else shlex.quote(found[1])
        raise UsageError("--repository is a name, not a URL", f"write --repository {shape}")
    if given is not None and not pattern.fullmatch(name):
        raise UsageError(f"`{name}` is not the name of a repository", f"write --repository {shape}")
    host = repository.remote[0] if repository.remote else None
    if host is not None and given is None:
        _require_host(options, repository, host)


def _require_host(options: Options, repository: Repository, host: str) -> None:
    """Refuse the host of `origin` where what runs the stages cannot be there."""
    runner, own = options.runner, options.host is not None
    if runner == "codepipeline":
        if own and options.source == "connection" and options.connection is None:
            raise UsageError(
                f"a connection to {host}, a host of one's own, cannot be made by a template",
                "make it in the console (Developer Tools > Settings > Connections, with a host),"
                " then add --connection ARN; or add --source s3",
            )
        return
    theirs = None if own else _HOSTS.get(repository.provider, "codepipeline")
    if theirs is None and runner == "github":
        raise UsageError(
            f"`origin` is at {host}, whose tokens are not those of github.com",
            "use --provider codepipeline; if the workflow runs at github.com all the same, name the"
            " repository there with --repository",
        )
    if theirs not in {None, runner}:
        raise UsageError(
            f"`origin` is at {host}: no workflow of {runner} runs there",
            f"use --provider {theirs}; if `origin` is a mirror, add --repository with the name"
            f" that the repository has at {options.issuer}",
        )
