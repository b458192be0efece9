"""The policies allow what is called, nothing of them is useless, and the attacks are denied.

The deployer's calls are recorded from its own code; the service's, in the name of the pipeline's
role, follow from the definition, and those of jobs from a run of the pipeline on this machine.
What the service does in a role's name besides (images, logs, keys, networks) is not proven here:
`steptypes/job_role.py` has it from the developer guide.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pipelines.compile.driver import compile_spec
from pipelines.compile.model import Compiled, CompileRequest
from pipelines.definition.steps import take_apart
from pipelines.infra.policies import RolePolicy, policies
from pipelines.json_types import JsonObject
from pipelines.programs.deploy.observe import SERVICES, Clients
from pipelines.programs.deploy.reconcile import Options, reconcile
from tests.iam.calls import SAGEMAKER, Recorder, needs
from tests.iam.evaluator import Request, allowed
from tests.unit.programs.deploy_account import Account, target

ACCOUNT = "111122223333"
PLACE = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:"
ROLE, JOBS, DEPLOYER = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("p", "x", "deploy"))
JOB = "pipelines-abcdefghijkl-step-0123456789"
OWN = "arn:aws:s3:::team/p"
SPEC = f"""\
spec: 1
pipeline: p
aws:
  role: {ROLE}
  job_role: {JOBS}
  deploy_role: {DEPLOYER}
  bucket: team
  tags: {{team: x}}
data:
  rows: data/
defaults:
  image: sklearn-1.9-cpu
  instance_type: ml.m5.large
steps:
  features:
    kind: processing
    script: step.py
    inputs: {{rows: "${{data.rows}}", more: "s3://lake/rows/"}}
    outputs: [train]
  train:
    kind: training
    script: step.py
    inputs: {{train: "${{steps.features.train}}"}}
  evaluate:
    kind: evaluation
    script: step.py
    model: ${{steps.train.model}}
    report: report.json
  good:
    kind: condition
    if: steps.evaluate.report.auc > 0.5
    then: [register, deploy]
  register:
    kind: registration
    group: g
    model: ${{steps.train.model}}
    metrics: ${{steps.evaluate.report}}
    serving: {{source: serving/, image: sklearn-1.9-cpu}}
  deploy:
    kind: deployment
    group: ${{steps.register.group}}
    endpoint: e
    serverless: {{}}
"""


@dataclass(frozen=True, slots=True)
class Roles:
    """A compiled pipeline and the policies of its roles, by ARN."""

    compiled: Compiled
    policies: dict[str, RolePolicy]

    def allow(self, role: str, request: Request) -> bool:
        """Return whether a role may do something."""
        return allowed(request, [self.policies[role].document()])


@pytest.fixture(scope="module")
def roles(tmp_path_factory: pytest.TempPathFactory) -> Roles:
    """Compile a pipeline with all three roles."""
    folder = tmp_path_factory.mktemp("project")
    files = {
        "step.py": "",
        "serving/inference.py": "def model_fn(d): ...",
        "data/a.csv": "1",
        "pipeline.yaml": SPEC,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    result = compile_spec(CompileRequest(folder / "pipeline.yaml", None, {}))
    assert result.compiled is not None, result.checked.diagnostics
    assert result.checked.graph is not None
    assert result.checked.graph.spec.aws is not None
    made = policies(result.compiled, result.checked.graph.spec.aws)
    return Roles(result.compiled, {str(one.arn): one for one in made})


def _deployer() -> Iterator[tuple[str, Request]]:
    """Yield what the deployer asks for: creating, updating, going back, failing, deleting."""
    what = target(tags={"team": "x"}, history="s3://team/p/deployments/e")
    dimension = "sagemaker:variant:DesiredProvisionedConcurrency"
    for account, later in (
        (Account({1: "Approved"}), {2: "Approved"}),
        (Account({1: "Approved"}, mute={1}), {}),
        (Account({1: "Approved"}, broken={2}), {2: "Approved"}),
    ):
        asked: list[Request] = []
        plain = account.clients
        clients = Clients(
            *(Recorder(s, c, PLACE, asked) for s, c in zip(SERVICES, plain, strict=True))
        )
        reconcile(clients, what, Options(pause=0))
        account.scaled.scale(dimension, "pipelines-from-zero", "e-backlog-without-capacity")
        account.versions.update(later)
        reconcile(clients, what, Options(pause=0))
        yield from ((DEPLOYER, request) for request in asked)


def _service(compiled: Compiled) -> Iterator[tuple[str, Request]]:
    """Yield what the service asks for as the pipeline's role, by the steps of the definitions."""
    for definition in compiled.definitions.values():
        for step in take_apart(json.loads(definition)).steps:
            if step.known is None or step.known.resource is None:
                continue
            operation = (
                step.known.request.removesuffix("Request").removesuffix("Input")
                if step.known.request
                else ""
            )
            supplied = dict.fromkeys(step.known.supplied, JOB)
            yield from (
                (ROLE, one)
                for one in needs(
                    "sagemaker",
                    operation,
                    {**supplied, **step.arguments, **_group(step.arguments)},
                    PLACE,
                )
            )


def _group(arguments: JsonObject) -> JsonObject:
    return {"ModelPackageGroupName": "g"} if "ModelPackageGroupName" in arguments else {}


def _jobs() -> Iterator[tuple[str, Request]]:
    """Yield what jobs read and write, and what reads their reports."""
    put, get = "s3:PutObject", "s3:GetObject"
    run = f"{OWN}/runs/abcdefghijkl"
    for name in (f"{OWN}/code/train/0a/bundle.pyz", f"{OWN}/data/rows/0a/a.csv"):
        yield JOBS, Request(get, name)
    yield JOBS, Request(get, "arn:aws:s3:::lake/rows/a.csv")
    for name in ("features/train/a.csv", "train/job/output/model.tar.gz", "evaluate/report/r.json"):
        yield JOBS, Request(put, f"{run}/{name}")
        yield JOBS, Request(get, f"{run}/{name}")
    archive = f"{OWN}/packages/abcdefghijkl/register-package/model/model.tar.gz"
    yield DEPLOYER, Request(get, f"{run}/train/job/output/model.tar.gz")
    yield DEPLOYER, Request(get, f"{OWN}/code/register/0a/bundle.pyz")
    yield DEPLOYER, Request(put, archive)
    yield JOBS, Request(get, archive)  # the model server's
    yield ROLE, Request(get, archive)
    yield ROLE, Request(get, f"{run}/evaluate/report/report.json")
    for role, prefix in (
        (JOBS, "p/code/train/0a/"),
        (JOBS, "p/data/rows/0a/"),
        (DEPLOYER, "p/runs/abcdefghijkl/train/"),
        (ROLE, "p/packages/abcdefghijkl/register-package/model/model.tar.gz"),
    ):
        yield role, _list("team", prefix)
    yield JOBS, _list("lake", "rows/")


def _list(bucket: str, prefix: str) -> Request:
    return Request("s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": prefix})


def _called(roles: Roles) -> Iterator[tuple[str, Request]]:
    yield from _deployer()
    yield from _service(roles.compiled)
    yield from _jobs()


def test_every_call_is_allowed(roles: Roles) -> None:
    """To the principal that makes it."""
    called = list(_called(roles))
    assert len({(role, request.action) for role, request in called}) >= 30
    denied = [(role, one) for role, one in called if not roles.allow(role, one)]
    assert denied == []


_NOT_PROVEN = ("cloudwatch:", "ecr:", "logs:", "ec2:", "kms:")
"""What only the service does in a role's name, by `steptypes/job_role.py`."""

_AROUND = frozenset({
    "sagemaker:DescribeModelPackage",
    "sagemaker:DescribeModelPackageGroup",
    "sagemaker:DescribeProcessingJob",
    "sagemaker:DescribeTrainingJob",
    "sagemaker:StopProcessingJob",
    "sagemaker:StopTrainingJob",
    "sagemaker:CreateModelPackageGroup",
})  # fmt: skip
"""What the service does to follow and to stop steps: it is in no request of a step."""


def test_without_any_action_that_is_called_a_call_fails(roles: Roles) -> None:
    """And no action stands in a policy that nothing here or in the developer guide calls."""
    called = list(_called(roles))
    for role, policy in roles.policies.items():
        for statement in policy.statements:
            for action in statement.actions:
                if action.startswith(_NOT_PROVEN) or (role == ROLE and action in _AROUND):
                    continue
                kept = tuple(
                    replace(one, actions=tuple(a for a in one.actions if a != action))
                    if one == statement
                    else one
                    for one in policy.statements
                )
                document = replace(policy, statements=kept).document()
                own = [one for principal, one in called if principal == role]
                assert not all(allowed(one, [document]) for one in own), (role, action)


def _pass(role: str) -> Request:
    return Request("iam:PassRole", role, {"iam:PassedToService": SAGEMAKER})


def _attempt(operation: str, request: JsonObject) -> list[Request]:
    return list(needs("sagemaker", operation, request, PLACE))


VERSION = f"{PLACE}model-package/g/7"
ATTACKS: dict[str, tuple[str, list[Request]]] = {
    "a job starts a job as the deployer": (
        JOBS,
        _attempt("CreateProcessingJob", {"ProcessingJobName": JOB, "RoleArn": DEPLOYER}),
    ),
    "a job starts a job as itself": (
        JOBS,
        _attempt("CreateTrainingJob", {"TrainingJobName": JOB, "RoleArn": JOBS}),
    ),
    "a job overwrites a bundle": (
        JOBS,
        [Request("s3:PutObject", f"{OWN}/code/deploy/0a/bundle.pyz")],
    ),
    "a job swaps an approved archive": (
        JOBS,
        [Request("s3:PutObject", f"{OWN}/packages/abc/register-package/model/model.tar.gz")],
    ),
    "a job deletes an archive": (
        JOBS,
        [Request("s3:DeleteObject", f"{OWN}/packages/abc/register-package/model/model.tar.gz")],
    ),
    "a job lists the other pipelines of the bucket": (JOBS, [_list("team", "other/")]),
    "a job lists the whole bucket": (JOBS, [Request("s3:ListBucket", "arn:aws:s3:::team")]),
    "a job replaces data": (JOBS, [Request("s3:PutObject", f"{OWN}/data/rows/0a/a.csv")]),
    "a job writes the history of deployments": (
        JOBS,
        [Request("s3:PutObject", f"{OWN}/deployments/e/1.json")],
    ),
    "a job writes another pipeline's runs": (
        JOBS,
        [Request("s3:PutObject", "arn:aws:s3:::team/other/runs/a")],
    ),
    "a job writes into a prefix that begins alike": (
        JOBS,
        [Request("s3:PutObject", "arn:aws:s3:::team/p/runs-approved/a")],
    ),
    "a job approves a version": (
        JOBS,
        _attempt("UpdateModelPackage", {"ModelPackageArn": VERSION}),
    ),
    "a job registers a version": (
        JOBS,
        _attempt("CreateModelPackage", {"ModelPackageGroupName": "g"}),
    ),
    "a job updates the pipeline": (
        JOBS,
        _attempt("UpdatePipeline", {"PipelineName": "p", "RoleArn": ROLE}),
    ),
    "a job starts the pipeline": (JOBS, _attempt("StartPipelineExecution", {"PipelineName": "p"})),
    "a job updates the endpoint": (
        JOBS,
        _attempt("UpdateEndpoint", {"EndpointName": "e", "EndpointConfigName": "e-1"}),
    ),
    "the deployer passes the pipeline's role": (DEPLOYER, [_pass(ROLE)]),
    "the deployer passes itself": (DEPLOYER, [_pass(DEPLOYER)]),
    "the deployer passes the jobs' role to another service": (
        DEPLOYER,
        [Request("iam:PassRole", JOBS, {"iam:PassedToService": "lambda.amazonaws.com"})],
    ),
    "the deployer approves a version": (
        DEPLOYER,
        _attempt("UpdateModelPackage", {"ModelPackageArn": VERSION}),
    ),
    "the deployer overwrites a bundle": (
        DEPLOYER,
        [Request("s3:PutObject", f"{OWN}/code/train/0a/bundle.pyz")],
    ),
    "the deployer deletes another endpoint": (
        DEPLOYER,
        _attempt("DeleteEndpoint", {"EndpointName": "other"}),
    ),
    "the pipeline's role updates the endpoint": (
        ROLE,
        _attempt("UpdateEndpoint", {"EndpointName": "e", "EndpointConfigName": "e-1"}),
    ),
    "the pipeline's role approves a version": (
        ROLE,
        _attempt("UpdateModelPackage", {"ModelPackageArn": VERSION}),
    ),
    "the pipeline's role passes itself": (ROLE, [_pass(ROLE)]),
    "the pipeline's role passes a role to EC2": (
        ROLE,
        [Request("iam:PassRole", DEPLOYER, {"iam:PassedToService": "ec2.amazonaws.com"})],
    ),
    "the pipeline's role overwrites a bundle": (
        ROLE,
        [Request("s3:PutObject", f"{OWN}/code/deploy/0a/bundle.pyz")],
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_denied(roles: Roles, attack: str) -> None:
    """One of the permissions that it needs is missing; of every single one, if it is one call."""
    role, requests = ATTACKS[attack]
    assert not all(roles.allow(role, request) for request in requests)
    assert not roles.allow(role, requests[0])


def _denied(roles: Roles, requests: Iterable[Request], role: str) -> list[Request]:
    return [one for one in requests if not roles.allow(role, one)]


def test_with_one_role_for_everything_the_attacks_would_succeed(tmp_path: Path) -> None:
    """What the separation is for: the evaluator does not deny everything."""
    spec = "".join(line for line in SPEC.splitlines(keepends=True) if "_role:" not in line)
    files = {
        "step.py": "",
        "serving/inference.py": "def model_fn(d): ...",
        "data/a.csv": "1",
        "pipeline.yaml": spec,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    result = compile_spec(CompileRequest(tmp_path / "pipeline.yaml", None, {}))
    assert result.compiled is not None
    assert result.checked.graph is not None
    assert result.checked.graph.spec.aws is not None
    (policy,) = policies(result.compiled, result.checked.graph.spec.aws)
    one = Roles(result.compiled, {ROLE: policy})
    for attack in ("a job swaps an approved archive", "a job updates the endpoint"):
        assert _denied(one, ATTACKS[attack][1], ROLE) == []
