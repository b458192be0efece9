"""The JSONPath expressions of batch transform's filters."""

from __future__ import annotations

import pytest

from pipelines.backends.local.jobs.batch.paths import PathError, read_path
from pipelines.backends.local.jobs.spec import JobRefusedError
from pipelines.json_types import Json

ROW = ["a", "b", "c", "d", "e", "f", "g"]
RECORD = {"id": 7, "features": [1, 2], "field 2": {"x": 3, "y": 4}}


@pytest.mark.parametrize(
    ("path", "record", "selected"),
    [
        ("$", ROW, ROW),
        ("$[1:]", ROW, ROW[1:]),
        ("$[:-1]", ROW, ROW[:-1]),
        ("$[0,5:]", ROW, ["a", "f", "g"]),
        ("$[-1]", ROW, "g"),
        ("$[2, 0]", ROW, ["c", "a"]),
        ("$.features", RECORD, [1, 2]),
        ("$.features[0]", RECORD, 1),
        ("$['id','features']", RECORD, {"id": 7, "features": [1, 2]}),
        ('$["id"]', RECORD, 7),
        ("$['field 2']['y']", RECORD, 4),
        ("$.['field 2'].x", RECORD, 3),
        ("$.features[*]", RECORD, [1, 2]),
        ("$['field 2'].*", RECORD, [3, 4]),
    ],
)
def test_a_path_selects_what_the_guide_says(path: str, record: Json, selected: Json) -> None:
    """The operators of the service's table."""
    assert read_path("x", path).select(record) == selected


@pytest.mark.parametrize(
    "path", ["features", "$features", "$[", "$[]", "$[a]", "$..a", "$[?(@.x)]", "$[0:5:2]", "$[-]"]
)
def test_another_path_is_refused_with_the_member_that_holds_it(path: str) -> None:
    """The service knows only a subset of JSONPath."""
    with pytest.raises(JobRefusedError, match="at `InputFilter` is not a JSONPath"):
        read_path("InputFilter", path)


@pytest.mark.parametrize(
    ("path", "record"),
    [("$[7]", ROW), ("$[0,7]", ROW), ("$.x", RECORD), ("$.x", ROW), ("$[0]", RECORD), ("$[1:]", 3)],
)
def test_what_a_record_does_not_have_is_an_error(path: str, record: Json) -> None:
    """FACTS: indexes outside the record are an error."""
    with pytest.raises(PathError, match="record"):
        read_path("x", path).select(record)
