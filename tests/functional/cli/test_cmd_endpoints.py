"""One door to what is deployed: `endpoints`, `deploy --dry-run`, `invoke --version`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.functional.cli.multiplying_project import SERVE, SPEC, Project, write_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Write a project that has not run."""
    return write_project(tmp_path)


def listed(project: Project, *words: str) -> list[dict[str, object]]:
    """Return what a command prints as JSON."""
    found: list[dict[str, object]] = json.loads(project.good(*words, "--format", "json"))
    return found


def test_an_endpoint_is_shown_rolled_back_and_deleted(project: Project) -> None:
    """Each command sees what the deployer sees, and a version that nobody approved answers."""
    project.register(21)
    asked = ("--local", "--version", "tiny/1", "--file", "sample.json")
    assert json.loads(project.good("invoke", *asked)) == {"y": 42}
    waiting = project.good("endpoints", "--local")
    assert "none    serverless           waiting for approval of tiny/1" in waiting
    project.register(5, "-p", "approval_status=Approved")
    project.good("approve", "--local", "tiny/1")
    (planned,) = listed(project, "deploy", "--local", "--dry-run")
    assert (planned["action"], planned["live"], planned["changed"]) == ("nothing", 2, False)
    (seen,) = listed(project, "endpoints", "--local")
    assert (seen["status"], seen["version"], seen["mode"]) == ("InService", 2, "serverless")
    shown = project.good("endpoints", "show", "--local", "tiny")
    assert "version          tiny/2 (Approved)" in shown
    assert "succeeded" in shown

    back = project.run("endpoints", "rollback", "--local", "tiny", "--reason", "too slow")
    assert back.code == 0
    assert "update tiny to tiny/1 instead of tiny/2" in back.err
    assert project.answer() == 42
    assert "too slow" in project.good("models", "--local", "show", "tiny/2")
    outcomes = [
        one["outcome"] for one in listed(project, "endpoints", "history", "--local", "tiny")
    ]
    assert outcomes == ["succeeded", "succeeded"]
    only = project.run("endpoints", "rollback", "--local", "tiny")
    assert only.code == 2
    assert "tiny/1 stays: no other version of tiny is approved" in only.err

    gone = project.run("endpoints", "delete", "--local", "tiny")
    assert "deleted endpoint tiny\n" in gone.out
    assert "the next deployment creates it again, as tiny/1 is approved" in gone.err
    assert "nothing to delete" in project.good("endpoints", "delete", "--local", "tiny")
    (planned,) = listed(project, "deploy", "--local", "--dry-run")
    assert (planned["action"], planned["live"]) == ("create", None)
    assert planned["messages"] == ["create tiny with tiny/1"]


NIGHTLY = """\
  nightly:
    kind: deployment
    after: [register]
    group: ${steps.register.group}
    batch:
      input: ${data.rows}
      output: s3://answers/nightly
      content_type: application/json
      split: line
      strategy: single
      assemble: line
    schedule: {rate: 1 day}
"""


def test_a_batch_is_processed_once_by_the_pipeline_and_by_name(project: Project) -> None:
    """The run processes it; the same again does nothing; more input is another job."""
    without = SPEC[: SPEC.index("  deploy:")]
    spec = without.replace("defaults:", "data: {rows: rows/}\ndefaults:") + NIGHTLY
    (project.folder / "pipeline.yaml").write_text(spec)
    rows = project.folder / "rows" / "a.jsonl"
    rows.parent.mkdir()
    rows.write_text('{"x": 1}\n{"x": 3}\n')
    project.good("run", "-p", "approval_status=Approved")
    results = project.folder / ".pipelines" / "s3" / "answers" / "nightly" / "a.jsonl.out"
    assert results.read_text() == '{"y": 21}\n{"y": 63}\n'
    (again,) = listed(project, "deploy", "--local", "nightly")
    assert (again["live"], again["changed"], again["action"]) == (1, False, "nothing")
    (seen,) = listed(project, "endpoints", "--local")
    assert (seen["endpoint"], seen["status"], seen["mode"]) == ("nightly", "Completed", "batch")
    shown = project.good("endpoints", "show", "--local", "nightly")
    assert "output           s3://answers/nightly\n" in shown
    outputs = project.good("outputs", "--local")
    assert re.search(r"nightly\.predictions +data +1 +\d+ bytes", outputs), outputs
    none = project.run("deploy", "--local")
    assert none.code == 2
    assert "name a batch: nightly" in none.err
    assert "is a batch" in project.run("endpoints", "rollback", "--local", "nightly").err
    gone = project.good("destroy", "--local", "--yes")
    assert "deleted model tiny-nightly-" in gone
    assert "deleted pipeline tiny\n" in gone


def test_a_broken_version_is_found_before_anybody_approves_it(project: Project) -> None:
    """`invoke --version` fails with the model's own words; nothing was deployed."""
    broken = SERVE.replace("return int(", "raise ValueError('no weights') or int(")
    (project.folder / "serving" / "inference.py").write_text(broken)
    project.register(21)
    asked = ("--local", "--version", "tiny/latest", "--file", "sample.json")
    failed = project.run("invoke", *asked)
    assert failed.code == 4
    assert "tiny/1 did not respond: the model does not load: ValueError: no weights" in failed.err
    assert "waiting for approval of tiny/1" in project.good("deploy", "--local", "--dry-run")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("endpoints show --local tinny", "did you mean `tiny`?"),
        ("endpoints history --local other", "its deployments: tiny"),
        ("endpoints rollback --local tiny", "there is nothing to roll back"),
        ("endpoints --local show tiny", "endpoints show --local"),
        ("invoke --local --file sample.json", "no endpoint is named"),
        ("invoke --version tiny/1 --file sample.json", "add --local"),
        ("invoke --local --version tiny/1 tiny --file sample.json", "name one of the two"),
        ("invoke --local --version tiny/1 --async --file sample.json", "remove --async"),
        ("invoke --local --version tiny/9 --file sample.json", "no model package group `tiny`"),
    ],
)
def test_mistakes_are_told_with_what_to_write(project: Project, words: str, said: str) -> None:
    """Nothing has run in this project."""
    done = project.run(*words.split())
    assert said in done.err
    assert "Traceback" not in done.err
    assert done.code == 2
