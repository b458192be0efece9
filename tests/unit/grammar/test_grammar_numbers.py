from __future__ import annotations

import math

from pipelines.grammar.numbers import as_float


def test_a_number_that_no_float_holds_is_none() -> None:
    """JSON has integers of any length; converting one raises OverflowError."""
    assert as_float(3) == 3.0
    assert as_float(0.5) == 0.5
    assert as_float(10**400) is None
    assert as_float(-(10**400)) is None
    assert as_float(math.inf) is None
    assert as_float(math.nan) is None
