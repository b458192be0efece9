"""Paths that are read → patterns: none escapes, few are needed, a README starts nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.infra.filters import EVERYTHING, LONGEST, MOST, Reads, escape, patterns
from tests.unit.infra.codepipeline_globs import matches

_NAME = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0\n"), min_size=1, max_size=24
).filter(lambda name: name not in {".", ".."})
_PATH = st.lists(_NAME, min_size=1, max_size=5).map("/".join)
_PROJECT = st.one_of(st.just("."), _PATH)


@st.composite
def _reads(draw: st.DrawFn) -> Reads:
    project = draw(_PROJECT)
    prefix = "" if project == "." else f"{project}/"
    inside = _PATH.map(prefix.__add__)
    files = draw(st.frozensets(st.one_of(inside, inside, _PATH), min_size=1, max_size=40))
    return Reads(files, draw(st.frozensets(inside, max_size=15)), project)


@settings(max_examples=60)
@given(_reads(), _PATH)
def test_no_path_that_is_read_escapes(reads: Reads, below: str) -> None:
    """Every file, and whatever may come to lie in a folder, passes one of the patterns."""
    found = patterns(reads)
    for path in (*reads.files, *(f"{folder}/{below}" for folder in reads.folders)):
        assert any(matches(pattern, path) for pattern in found), path


@settings(max_examples=60)
@given(_reads())
def test_the_filter_is_one_that_codepipeline_takes(reads: Reads) -> None:
    """At most 8 patterns of 1 to 255 characters, each once, the same for the same paths."""
    found = patterns(reads)
    assert 0 < len(found) <= MOST
    assert all(0 < len(pattern) <= LONGEST for pattern in found)
    assert len(set(found)) == len(found)
    assert found == patterns(Reads(frozenset(sorted(reads.files)), reads.folders, reads.project))


@given(
    st.frozensets(_PATH.filter(lambda path: "readme" not in path.lower()), max_size=40),
    st.sampled_from(["README.md", "README", "docs/README.md"]),
)
def test_a_readme_starts_nothing(files: frozenset[str], readme: str) -> None:
    """Unless so many long paths are read that no filter holds them."""
    files = frozenset(one for one in files if not one.startswith("docs/"))
    found = patterns(Reads(files | {"pipeline.yaml"}, frozenset()))
    if found != (EVERYTHING,):
        assert not any(matches(pattern, readme) for pattern in found)


def test_a_project_of_many_folders_still_fits() -> None:
    """Thirty folders and as many files are groups of patterns, and a README passes none."""
    files = {f"step-{n}/run.py" for n in range(30)} | {f"config-{n}.json" for n in range(30)}
    found = patterns(Reads(frozenset(files), frozenset()))
    assert len(found) <= MOST
    assert all(any(matches(pattern, path) for pattern in found) for path in files)
    assert not any(matches(pattern, "README.md") for pattern in found)


@pytest.mark.parametrize(
    ("files", "folders", "project", "expected"),
    [
        (
            {"pipeline.yaml", "steps/a.py", "steps/suites/b.json", "training/train.py"},
            {"serving"},
            ".",
            ("pipeline.yaml", "serving/**", "steps/**", "training/**"),
        ),
        (
            {"ml/churn/pipeline.yaml", "ml/churn/steps/a.py", "requirements.txt", "ml/shared/x.py"},
            set(),
            "ml/churn",
            ("ml/churn/pipeline.yaml", "ml/churn/steps/**", "ml/shared/**", "requirements.txt"),
        ),
        ({"src/churn/a.py", "src/churn/b/c.py"}, set(), ".", ("src/churn/**",)),
        ({"a{1},b.py"}, set(), ".", ("a\\{1\\}\\,b.py",)),
        ({"a.py"}, {"."}, ".", ("**",)),
    ],
    ids=["example", "below the root", "package", "signs", "everything"],
)
def test_what_is_read_becomes_the_folders_that_it_lies_in(
    files: set[str], folders: set[str], project: str, expected: tuple[str, ...]
) -> None:
    """Files below a folder of the project are that folder; those beside the spec stay single."""
    assert patterns(Reads(frozenset(files), frozenset(folders), project)) == expected


@given(_PATH)
def test_an_escaped_path_matches_itself_alone(path: str) -> None:
    """Whatever signs a name has."""
    assert matches(escape(path), path)
    assert not matches(escape(path), f"{path}x")
