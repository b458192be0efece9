"""`infra/github`, `infra/gitlab`: the files that the hosts read, exactly, and by their schemas."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pipelines.infra.files import host_files
from tests import fast_yaml
from tests.golden.infra_projects import FOLDER, opened

SCHEMAS = {
    "github": ("--builtin-schema", "vendor.github-workflows"),
    "gitlab": ("--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"),
}
"""Each host, and how check-jsonschema validates its files, with the schemas that it brings."""


def _expected(case: str) -> dict[str, str]:
    found = (FOLDER / case / "expected").rglob("*.yml")
    return {path.name: path.read_text("utf-8") for path in found}


@pytest.mark.parametrize("case", SCHEMAS)
def test_the_files_of_a_host_are_what_the_golden_says(case: str, *, update_golden: bool) -> None:
    """Where the host looks for them: at the root of the repository, not beside the templates."""
    options, deliveries = opened(FOLDER / case)
    files = host_files(deliveries, options, FOLDER / case)
    if update_golden:
        for file in files:
            (FOLDER / case / "expected" / file.path.name).write_text(file.text, "utf-8")
    assert {file.path.name: file.text for file in files} == _expected(case)
    places = {file.path.relative_to(FOLDER / case).as_posix() for file in files}
    assert places in (
        {".github/workflows/pipelines-churn.yml"},
        {".gitlab/pipelines-churn.yml", ".gitlab-ci.yml"},
    )


@pytest.mark.parametrize("case", SCHEMAS)
def test_the_files_of_a_host_are_valid_by_its_schema(case: str) -> None:
    """check-jsonschema finds nothing; it reads no network for the schemas that it brings."""
    files = sorted((FOLDER / case / "expected").glob("*.yml"))
    hidden = sorted((FOLDER / case / "expected").glob(".*.yml"))
    command = [sys.executable, "-m", "check_jsonschema", *SCHEMAS[case], *map(str, files + hidden)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("case", SCHEMAS)
def test_a_role_trusts_one_repository_alone(case: str) -> None:
    """Its branch, its environment or its pull requests, for AWS as the audience."""
    subjects: dict[str, list[str]] = {}
    for path in sorted((FOLDER / case / "expected").glob("churn*.yaml")):
        resources = fast_yaml.load(path.read_text("utf-8"))["Resources"]
        for name, one in resources.items():
            trusted = one["Properties"].get("AssumeRolePolicyDocument", {"Statement": [{}]})
            (statement,) = trusted["Statement"]
            if "Federated" not in statement.get("Principal", {}):
                continue
            operators = statement["Condition"]
            keys = {key: value for kept in operators.values() for key, value in kept.items()}
            assert {key.rpartition(":")[2] for key in keys} == {"aud", "sub"}
            (sub,) = (value for key, value in keys.items() if key.endswith(":sub"))
            subjects[f"{path.stem} {name}"] = [sub] if isinstance(sub, str) else sub
    branch, review = {
        "github": ("repo:team/churn:ref:refs/heads/main", "repo:team/churn:pull_request"),
        "gitlab": (
            "project_path:team/churn:ref_type:branch:ref:main",
            "project_path:team/churn:ref_type:branch:ref:*",
        ),
    }[case]
    gate = "repo:team/churn:environment:prod" if case == "github" else branch
    assert subjects == {
        "churn CiToolRole": [branch, review],
        "churn CiReviewRole": [review],
        "churn CiPlanRole": [branch],
        "churn CiReleaseRole": [branch],
        "churn-prod CiPlanRole": [branch],
        "churn-prod CiReleaseRole": [gate],
    }
