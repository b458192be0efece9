"""`ci init --sample`: the builds run the pipeline on a sample, with what the images bring."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import fast_yaml
from tests.functional.cli.churn import SPEC, git, repository
from tests.functional.cli.in_process import run_in

DATA = """\
parameters:
  least: {type: integer, default: 3}
  note: {type: string, default: none}
data:
  rows: data/rows.csv
  far: s3://elsewhere/rows/
"""
RUN = (
    "python -P -m pipelines run -f pipeline.yaml --sample rows=50% -p least=0 --strict-requirements"
)
ASKED = ("--sample", "rows=50%", "-p", "least=0")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository whose spec has a line of data."""
    repository(tmp_path)
    git(tmp_path, "remote", "set-url", "origin", "git@github.com:acme/churn.git")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows.csv").write_text("a\n1\n2\n")
    head, steps, rest = SPEC.partition("steps:")
    read = '    inputs: {rows: "${data.rows}"}\n'
    (tmp_path / "pipeline.yaml").write_text(head + DATA + steps + rest + read)
    return tmp_path


def _lines(value: object) -> list[str]:
    """Yield every text of a document, by lines."""
    match value:
        case dict():
            return [line for part in value.values() for line in _lines(part)]
        case list():
            return [line for part in value for line in _lines(part)]
        case _:
            return str(value).splitlines()


def test_codepipeline_runs_the_sample_after_the_unit_tests(project: Path) -> None:
    """At a push and at a pull request; generating it again keeps it."""
    answer = run_in(project, "ci", "init", *ASKED)
    assert answer.code == 0, answer.err
    file = project / "infra" / "churn.yaml"
    template = fast_yaml.load(file.read_text())["Resources"]
    specs = [
        fast_yaml.load(one["Properties"]["Source"]["BuildSpec"])
        for one in template.values()
        if one["Type"] == "AWS::CodeBuild::Project"
    ]
    tried = [lines for spec in specs if RUN in (lines := _lines(spec))]
    assert len(tried) == 2
    for lines in tried:
        assert any("pytest.main()" in line for line in lines[: lines.index(RUN)])
    assert "-p least=0" in file.read_text().split("sha256")[0], "the head has the whole command"
    assert run_in(project, "ci", "init", "--check", *ASKED).code == 0


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ("github", ".github/workflows/pipelines-churn.yml"),
        ("gitlab", ".gitlab/pipelines-churn.yml"),
    ],
)
def test_github_and_gitlab_run_it_where_no_role_is(project: Path, provider: str, name: str) -> None:
    """In the job of the unit tests."""
    if provider == "gitlab":
        git(project, "remote", "set-url", "origin", "git@gitlab.com:acme/churn.git")
    answer = run_in(project, "ci", "init", "--provider", provider, *ASKED)
    assert answer.code == 0, answer.err
    [file] = [path for path in project.rglob("*churn.yml") if provider in str(path)] or [
        project / name
    ]
    jobs = fast_yaml.load(file.read_text())
    job = jobs["jobs"]["tests"] if provider == "github" else jobs[_tests_of(jobs)]
    assert RUN in _lines(job)


def test_github_evaluates_nothing_of_a_parameter(project: Path) -> None:
    """What looks like an expression of a workflow reaches the shell as it was written."""
    words = ("--sample", "rows=1%", "-p", "note=${{ github.token }}")
    assert run_in(project, "ci", "init", "--provider", "github", *words).code == 0
    jobs = fast_yaml.load((project / ".github/workflows/pipelines-churn.yml").read_text())
    (line,) = (line for line in _lines(jobs["jobs"]["tests"]) if "note=" in line)
    assert "-p 'note=${{ '${{' }} github.token }}'" in line


def _tests_of(jobs: dict[str, object]) -> str:
    return next(name for name in jobs if name.endswith("tests"))


def test_without_the_option_no_build_runs_the_pipeline(project: Path) -> None:
    """What the images bring would have to be installed first."""
    assert run_in(project, "ci", "init").code == 0
    assert "--strict-requirements" not in (project / "infra" / "churn.yaml").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--sample", "rws=1%"), "did you mean `rows`?"),
        (("--sample", "rows=1"), "is not ENTRY=PERCENT%"),
        (("--sample", "far=1%"), "a build cannot sample it"),
        (("--sample", "rows=1%", "-p", "lest=0"), "did you mean `least`?"),
        (("-p", "least=0"), "`-p` is for the run on samples"),
        (("--sample", "rows=1%", "-p", "least=x"), "`least` is of type Integer, `x` is not"),
        (("--sample", "rows=1%", "-p", "note="), "`note` is empty, which the service refuses"),
        (("--sample", "rows=1%:aa"), "data/rows.csv has no column `aa`"),
        (("--sample", "rows=200%"), "above 0% and at most 100%"),
    ],
)
def test_what_no_build_could_run_is_refused(
    project: Path, words: tuple[str, ...], said: str
) -> None:
    """Before anything is written."""
    answer = run_in(project, "ci", "init", *words)
    assert answer.code == 2, answer.out
    assert said in answer.err
    assert not (project / "infra").exists()


def test_a_file_of_parameters_becomes_its_values(project: Path) -> None:
    """A build has no file that only somebody's desk has; nor has whoever generates it again."""
    (project / "few.yaml").write_text("least: 0\n")
    assert run_in(project, "ci", "init", "--sample", "rows=50%", "-p", "@few.yaml").code == 0
    text = (project / "infra" / "churn.yaml").read_text()
    assert RUN in text
    assert "few.yaml" not in text


def test_data_that_no_step_reads_cannot_be_sampled(project: Path) -> None:
    """`run --sample` says the same, but only in the build."""
    spec = project / "pipeline.yaml"
    spec.write_text(spec.read_text().replace("data:\n", "data:\n  more: data/\n"))
    refused = run_in(project, "ci", "init", "--sample", "more=1%")
    assert refused.code == 2
    assert "no step reads `more`" in refused.err


def test_data_that_git_ignores_is_in_no_clone(project: Path) -> None:
    """A build would find nothing to sample."""
    (project / ".gitignore").write_text("data/\n")
    answer = run_in(project, "ci", "init", "--sample", "rows=1%")
    assert answer.code != 0
    assert "ignores" in answer.err
