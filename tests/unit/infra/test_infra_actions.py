"""Actions and resources against the Service Authorization Reference, as cfn-lint carries it."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

from pipelines import programs, steptypes
from pipelines.compile.driver import compile_spec
from pipelines.compile.model import CompileRequest
from pipelines.infra.policies import WITHOUT_ARN, policies
from pipelines.json_types import JsonObject
from pipelines.spec.model import Aws
from pipelines.steptypes import job_role

CASES = Path(__file__).parents[2] / "golden/cases"
_NOT_LISTED = frozenset({"cloudwatch:PutMetricData"})
"""The reference names a data set, which metrics of jobs are not written into."""

_DISPUTED = frozenset({("sagemaker:ListModelPackages", "model-package-group")})
"""The reference names the packages; which name a list is asked with is not known: both stand."""


@cache
def reference() -> JsonObject:
    """Read the reference: service → its actions, and the forms of its resources' ARNs."""
    data = files("cfnlint.data.AdditionalSpecs").joinpath("Policies.json")
    read: JsonObject = json.loads(data.read_text(encoding="utf-8"))
    return read


def known(action: str) -> JsonObject | None:
    """Return what the reference has of an action."""
    service, _, name = action.partition(":")
    found: JsonObject | None = reference()[service]["Actions"].get(name.lower(), None)
    return found


def forms(action: str) -> list[re.Pattern[str]]:
    """Return the forms of the ARNs that an action is on; none where it takes no resource."""
    service = action.partition(":")[0]
    resources = {name.lower(): one for name, one in reference()[service]["Resources"].items()}
    nouns = (known(action) or {}).get("Resources") or ()
    arns = [arn for noun in nouns for arn in resources[noun.lower()]["ARNFormats"]]
    return [re.compile(re.sub(r"\$\{\w+\}", "[^:]*", arn)) for arn in arns]


def _declared() -> set[str]:
    of_types = {action for one in steptypes.every() for action in one.permissions}
    of_programs = {
        action for name in programs.names() for action in programs.declaration(name).actions
    }
    of_jobs = {*job_role.ACTIONS, *job_role.KMS, *job_role.CALLER_KMS, *job_role.NETWORK}
    return of_types | of_programs | of_jobs


@pytest.mark.parametrize("action", sorted(_declared()))
def test_every_action_exists(action: str) -> None:
    """A misspelt one is accepted by IAM, and allows nothing."""
    service, _, name = action.partition(":")
    assert name.lower() in reference()[service]["Actions"]


def test_what_is_on_everything_takes_no_resource() -> None:
    """Else it would be on too much."""
    taking = {action for action in WITHOUT_ARN if forms(action)}
    assert taking <= _NOT_LISTED


@pytest.mark.parametrize(
    "case", ["roles", "network", "registration_full", "data_sources", "deployment_realtime"]
)
def test_resources_have_the_form_that_their_action_takes(case: str) -> None:
    """On any other the statement would allow nothing."""
    result = compile_spec(CompileRequest(CASES / case / "pipeline.yaml", None, {}))
    assert result.compiled is not None
    assert result.checked.graph is not None
    for policy in policies(result.compiled, result.checked.graph.spec.aws or Aws()):
        for statement in policy.statements:
            for action in statement.actions:
                for arn in statement.resources:
                    if arn == "*" or (action, arn.split(":")[5].split("/")[0]) in _DISPUTED:
                        continue
                    assert any(form.fullmatch(arn) for form in forms(action)), (action, arn)
