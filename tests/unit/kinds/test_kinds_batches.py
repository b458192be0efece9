"""What the jobs of a batch are called after."""

from __future__ import annotations

from itertools import combinations

from pipelines.kinds.modes.batch import job_name


def test_no_two_batches_share_a_name() -> None:
    """Each finds its own jobs by it: `a-b` and `c` are another batch than `a` and `b-c`."""
    long = "x" * 40
    batches = [
        ("a-b", "c"),
        ("a", "b-c"),
        ("a", "b_c"),
        (long, "nightly"),
        (long, "nightly-eu"),
    ]
    names = {one: job_name(*one) for one in batches}
    assert all(names[one] != names[other] for one, other in combinations(batches, 2))
    assert all(len(name) <= 45 for name in names.values())
    assert job_name("flights", "nightly").startswith("flights-nightly-")
