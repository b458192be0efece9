"""How git writes addresses of repositories, and what of them is a secret."""

from __future__ import annotations

import pytest

from pipelines.cli.repository import holds_a_secret, repository_at


@pytest.mark.parametrize(
    ("url", "found", "secret"),
    [
        ("git@github.com:a/b.git", ("github.com", "a/b"), False),
        ("work:a/b", ("work", "a/b"), False),
        ("ssh://git@git.acme.org:2222/a/b.git", ("git.acme.org", "a/b"), False),
        ("https://github.com/a/b/", ("github.com", "a/b"), False),
        ("https://acme@dev.azure.com/acme/p", ("dev.azure.com", "acme/p"), False),
        ("https://me:p@ss@gitlab.com/a/b/c.git", ("gitlab.com", "a/b/c"), True),
        ("https://ghp_0123456789abcdefghij@github.com/a/b", ("github.com", "a/b"), True),
        ("https://github.com/a/b?private_token=x", ("github.com", "a/b"), True),
        ("file:///srv/git/b.git", None, False),
        ("/srv/git/a/b.git", None, False),
        ("../a/b.git", None, False),
        ("", None, False),
    ],
)
def test_an_address_is_read_without_what_else_is_in_it(
    url: str, found: tuple[str, str] | None, *, secret: bool
) -> None:
    """As a URL, or as ssh writes it; a path of this machine is at no host."""
    assert repository_at(url) == found
    assert holds_a_secret(url) is secret
