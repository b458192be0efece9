"""Tags: what a spec wants → what is added and what is removed, others' tags left alone."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.spec.names import COPY_OF

MARK = "sagemaker-pipelines-as-code"
"""The tag that says that we made something: its value is the spec's `pipeline`."""

KEYS = f"{MARK}:tags"
"""The tag that names the tags that are ours, so that one that leaves the spec can be removed."""

_LONGEST = 256


def is_ours(have: Mapping[str, str], pipeline: str, copy_of: str | None = None) -> bool:
    """Return whether the tags show that something was made from a spec.

    Args:
        have: its tags.
        pipeline: the spec's `pipeline`.
        copy_of: the original of a copy: `churn-x` may be a spec's own name, and that of a copy.
    """
    return have.get(MARK) == pipeline and have.get(COPY_OF) == copy_of


def desired(pipeline: str, tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that something of a pipeline is to have.

    Keys are remembered as words: one with a space, or beyond the 256 characters of a tag's value,
    is set as any other and never removed.
    """
    keys = ""
    for key in sorted(tags):
        longer = f"{keys} {key}".strip()
        if " " not in key and len(longer) <= _LONGEST:
            keys = longer
    return {**tags, MARK: pipeline, KEYS: keys}


def added(have: Mapping[str, str], want: Mapping[str, str]) -> dict[str, str]:
    """Return the tags to be set."""
    return {key: value for key, value in want.items() if have.get(key) != value}


def removed(have: Mapping[str, str], want: Mapping[str, str]) -> tuple[str, ...]:
    """Return the keys to be removed: ours by what is remembered, and no longer wanted."""
    ours = have.get(KEYS, "").split()
    return tuple(sorted(key for key in ours if key in have and key not in want))
