"""A compiled project → the paths that it was made from, with links and what a folder may gain."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.compile.driver import compile_spec
from pipelines.compile.model import CompileRequest
from pipelines.infra.filters import Reads, patterns
from pipelines.infra.reads import reads_of, with_tests
from tests.unit.infra.codepipeline_globs import matches

SPEC = """\
spec: 1
pipeline: churn
aws: {role: "arn:aws:iam::111122223333:role/churn", bucket: churn}
data:
  customers: data/
steps:
  prepare:
    kind: processing
    image: sklearn-1.9-cpu
    instance_type: ml.m5.large
    script: steps/prepare.py
    requirements: steps/requirements.txt
    include: ["sql/**/*.sql", "*.cfg", "lists/de.txt"]
    inputs: {customers: "${data.customers}"}
    outputs: [out]
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Make a repository whose project lies below its root and uses a module beside it."""
    for name, text in {
        "ml/churn/pipeline.yaml": SPEC,
        "ml/churn/steps/prepare.py": "import shared\nimport lib.dates\n",
        "ml/churn/steps/requirements.txt": "pandas\n",
        "ml/churn/lib/dates.py": "",
        "ml/churn/sql/a/one.sql": "select 1",
        "ml/churn/settings.cfg": "",
        "ml/churn/lists/de.txt": "",
        "ml/churn/data/1.csv": "1",
        "ml/churn/tests/test_prepare.py": "",
        "ml/churn/README.md": "",
        "ml/churn/common/code.py": "",
        "constraints.txt": "",
        "README.md": "",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "ml/churn/steps/shared.py").symlink_to("../common/code.py")
    return tmp_path


@pytest.fixture
def reads(repository: Path) -> Reads:
    """Return what the project is made from."""
    file = repository / "ml/churn/pipeline.yaml"
    result = compile_spec(CompileRequest(file, None, {}))
    graph, compiled = result.checked.graph, result.compiled
    assert compiled is not None
    assert graph is not None
    return reads_of(file, compiled, graph, repository)


@pytest.mark.parametrize(
    "path",
    [
        "ml/churn/pipeline.yaml", "ml/churn/steps/prepare.py", "ml/churn/steps/requirements.txt",
        "ml/churn/steps/shared.py", "ml/churn/common/code.py", "ml/churn/lib/dates.py",
        "ml/churn/sql/a/one.sql", "ml/churn/sql/b/new.sql", "ml/churn/settings.cfg",
        "ml/churn/new.cfg", "ml/churn/lists/de.txt", "ml/churn/data/1.csv",
        "ml/churn/data/sub/new.csv", "constraints.txt",
    ],
)  # fmt: skip
def test_a_change_of_what_is_read_passes_the_filter(reads: Reads, path: str) -> None:
    """Modules that a script imports, the target of a link, new files where a pattern looks."""
    assert any(matches(pattern, path) for pattern in patterns(reads))


@pytest.mark.parametrize(
    "path", ["README.md", "ml/churn/README.md", "ml/churn/tests/test_prepare.py", "ml/other/a.py"]
)
def test_a_change_of_anything_else_does_not(reads: Reads, path: str) -> None:
    """Tests change no pipeline."""
    assert not any(matches(pattern, path) for pattern in patterns(reads))


def test_a_pull_request_is_checked_for_its_tests_too(reads: Reads, repository: Path) -> None:
    """Whoever changes a test wants it run."""
    found = patterns(with_tests(reads, repository))
    assert any(matches(pattern, "ml/churn/tests/test_prepare.py") for pattern in found)
