"""What GitHub and GitLab do otherwise than CodePipeline: paths, and comments that are updated."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pipelines.infra.workflows import github, gitlab
from tests import fast_yaml
from tests.functional.ci.hosts import stand_in
from tests.golden.infra_projects import FOLDER


@pytest.mark.parametrize(
    ("pattern", "for_github", "for_gitlab"),
    [
        ("**", ["**"], ["**/*"]),
        ("steps/**", ["steps/**"], ["steps/**/*"]),
        ("a+b!.py", ["a\\+b\\!.py"], ["a+b!.py"]),
        ("x\\[1\\].py", ["x\\[1\\].py"], ["x\\[1\\].py"]),
        ("a\\{b\\,c\\}", ["a{b,c}"], ["a\\{b\\,c\\}"]),
        ("{a.py,b\\,c.py,d/**}", ["a.py", "b,c.py", "d/**"], ["{a.py,b\\,c.py,d/**/*}"]),
        ("*.py", ["*.py"], ["*.py"]),
    ],
)
def test_a_pattern_is_written_in_the_language_of_the_host(
    pattern: str, for_github: list[str], for_gitlab: list[str]
) -> None:
    """GitHub has no groups and other special characters; GitLab's `**` needs a slash after it."""
    assert github.paths((pattern,)) == for_github
    assert gitlab.paths((pattern,)) == for_gitlab


def _comment(case: str) -> str:
    (path,) = (FOLDER / case / "expected").glob("pipelines-*.yml")
    document = fast_yaml.load(path.read_text("utf-8"))
    if case == "gitlab":
        return "\n".join(document["churn:comment"]["script"])
    return str(document["jobs"]["comment"]["steps"][-1]["run"])


def _run(case: str, folder: Path, answer: str) -> str:
    stand_in(folder)
    (folder / "answer").write_text(answer)
    for place in (folder, folder / ".ci"):
        place.mkdir(exist_ok=True)
        (place / "plan.md").write_text("### Plan for `churn`\n")
    names = ("GITHUB_REPOSITORY", "NUMBER", "CI_API_V4_URL", "CI_PROJECT_ID")
    given = {**dict.fromkeys((*names, "CI_MERGE_REQUEST_IID", "PIPELINES_COMMENT_TOKEN"), "x")}
    path = f"{folder}:{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/bash", "-c", f"set -eo pipefail\n{_comment(case)}"],
        cwd=folder, env={**given, "HOME": str(folder), "PATH": path}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return (folder / "said").read_text().splitlines()[-1]


def test_a_comment_is_made_once_and_updated_then(tmp_path: Path) -> None:
    """The one that begins as the plan does; other comments stay."""
    note = '[{"id": 6, "body": "nice"}, {"id": 7, "body": "### Plan for `churn`"}]'
    cases = {
        ("github", ""): ("issues/x/comments -F", ""),
        ("github", "7"): ("--method PATCH", "issues/comments/7"),
        ("gitlab", "[]"): ("--request POST", "/notes"),
        ("gitlab", note): ("--request PUT", "/notes/7"),
    }
    for number, ((case, answer), said) in enumerate(cases.items()):
        (tmp_path / str(number)).mkdir()
        told = _run(case, tmp_path / str(number), answer)
        assert all(word in told for word in said), told
