"""An asynchronous endpoint from the spec to an answer in S3, by commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.functional.cli.multiplying_project import SPEC, Project, write_project

ASYNCHRONOUS = """\
    asynchronous:
      instance_type: ml.m5.large
      output: s3://team/answers
      failure_output: s3://team/errors
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a project whose endpoint is asynchronous, trained and approved."""
    project = write_project(tmp_path)
    text = SPEC.replace("    serverless: {max_concurrency: 2}\n", ASYNCHRONOUS)
    (project.folder / "pipeline.yaml").write_text(text)
    project.good("run", "-p", "approval_status=Approved")
    return project


def test_an_asynchronous_endpoint_is_deployed_tested_and_asked(project: Project) -> None:
    """The sample went through the local S3; the command prints where the answer is."""
    place = project.good("invoke", "--local", "--async", "tiny", "--file", "sample.json").strip()
    assert place.startswith("s3://team/answers/")
    file = project.folder / ".pipelines" / "s3" / place.removeprefix("s3://")
    assert json.loads(file.read_text()) == {"y": 42}
    (project.folder / "bad.json").write_text("no")
    for words, code, said in (
        (("--async", "tiny", "--file", "bad.json"), 4, "JSONDecodeError"),
        (("--async", "tinny", "--file", "sample.json"), 2, "did you mean `tiny`?"),
        (("tiny", "--file", "sample.json"), 2, "add --async"),
        (("--wait", "tiny", "--file", "sample.json"), 2, "add --async"),
    ):
        done = project.run("invoke", "--local", *words)
        assert said in done.out + done.err
        assert done.code == code, done.err


def test_switching_to_another_mode_needs_replace(project: Project) -> None:
    """It is said before anything happens; then the gap is announced."""
    file = project.folder / "pipeline.yaml"
    file.write_text(SPEC)
    done = project.run("deploy", "--local")
    assert done.code != 0
    assert "is an asynchronous endpoint and cannot become a serverless endpoint" in done.err
    assert "`replace: true`" in done.err
    file.write_text(
        SPEC.replace("    sample: sample.json\n", "    sample: sample.json\n    replace: true\n")
    )
    done = project.run("deploy", "--local")
    assert done.code == 0, done.err
    assert "does not answer meanwhile" in done.out + done.err
    assert project.answer() == 42
