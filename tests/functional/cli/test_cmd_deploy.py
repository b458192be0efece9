"""From the registry to an answering endpoint, by the commands that a user types."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path

import pytest

from tests.everything import EVERYTHING
from tests.functional.cli.multiplying_project import SERVE, SPEC, Project, write_project
from tests.waiting import until

KILLED_AFTER = (0.5, 0.8, 1.0, 1.2, 1.5) if EVERYTHING else (1.0,)
"""Seconds after which an approval is killed."""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Write a project that has not run."""
    return write_project(tmp_path)


@pytest.fixture(scope="module")
def once_registered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a project whose first version, 21, is registered and pending."""
    project = write_project(tmp_path_factory.mktemp("registered"))
    project.register(21)
    return project.folder


@pytest.fixture
def registered(once_registered: Path, tmp_path: Path) -> Project:
    """Copy that project."""
    return Project(shutil.copytree(once_registered, tmp_path / "project", symlinks=True))


def test_approving_puts_a_version_live_and_rejecting_takes_the_one_below(
    registered: Project,
) -> None:
    """Pending changes nothing; approved answers; rejected falls back; repeated is fine."""
    project = registered
    assert "waiting for approval of tiny/1" in project.good("logs", "--local", "latest", "deploy")
    said = project.good("approve", "--local", "tiny/1", "--reason", "good enough")
    assert said.splitlines()[:2] == ["tiny/1 is Approved", "tiny: tiny/1 is live"]
    assert project.answer() == 42
    project.register(5)
    assert project.answer() == 42
    assert "tiny: tiny/2 is live" in project.good("approve", "--local", "tiny/latest")
    assert project.answer() == 10
    late = project.good("approve", "--local", "tiny/1")
    assert "tiny: tiny/1 is older than tiny/2, which stays live" in late
    assert project.answer() == 10
    assert "tiny: tiny/1 is live" in project.good("reject", "--local", "tiny/2", "--reason", "no")
    assert project.answer() == 42
    assert "tiny/2 is already Rejected" in project.good("reject", "--local", "tiny/2")
    late = project.good("reject", "--local", "tiny/2", "--reason", "too slow")
    assert "tiny/2 is already Rejected; its reason was written" in late
    assert "too slow" in project.good("models", "--local", "show", "tiny/2")
    assert project.good("deploy", "--local", "--dry-run") == "tiny: tiny/1 is live\n"


def test_an_approved_registration_deploys_in_the_same_execution(project: Project) -> None:
    """`-p approval_status=Approved`: the deployment step finds it approved."""
    project.register(4, "-p", "approval_status=Approved")
    assert project.answer() == 8


BROKEN = SERVE.replace("return int(", "raise ValueError('no such model') or int(")
KILLED = SERVE.replace(
    "    return int(",
    """    import os
    once = Path(ONCE)
    if not once.exists():
        once.touch()
        os.kill(os.getpid(), 9)
    return int(""",
)


@pytest.mark.slow
def test_nothing_succeeds_while_the_only_version_failed_and_nothing_serves(
    project: Project,
) -> None:
    """Not the run, not its resumption, not `deploy`; the reason and the way out are named."""
    (project.folder / "serving" / "inference.py").write_text(BROKEN)
    failed = "run -p approval_status=Approved", "run --resume", "deploy --local"
    for done in [project.run(*words.split()) for words in failed]:
        assert done.code == 5, done.out + done.err
        assert "no such model" in done.out + done.err
    (project.folder / "serving" / "inference.py").write_text(SERVE)
    assert "tiny/2 is live" in project.good("run", "-p", "approval_status=Approved")
    assert project.answer() == 42


def test_a_server_that_the_machine_kills_does_not_condemn_its_version(
    project: Project, tmp_path: Path
) -> None:
    """The out-of-memory killer came once: the same version is tried again, and is live."""
    serving = KILLED.replace("ONCE", repr(str(tmp_path / "killed-once")))
    (project.folder / "serving" / "inference.py").write_text(serving)
    said = project.good("run", "-p", "approval_status=Approved")
    assert "tiny/1 is live" in said
    assert "killed by SIGKILL" in project.good("logs", "--local", "latest", "deploy")
    assert project.answer() == 42


def test_a_model_that_does_not_load_leaves_the_old_one_answering(project: Project) -> None:
    """The command fails with the reason; the endpoint goes on; a retry is for when it is mended."""
    project.register(21, "-p", "approval_status=Approved")
    serving = project.folder / "serving" / "inference.py"
    serving.write_text(SERVE.replace("return int(", "raise ValueError('no weights') or ("))
    project.register(5)
    failed = project.run("approve", "--local", "tiny/2")
    assert failed.code == 5
    assert "version 2 failed on tiny: the model does not load: ValueError: no weights" in (
        failed.err
    )
    assert "python -m pipelines deploy --local --retry tiny/2" in failed.err
    assert "tiny: tiny/1 is live" in failed.out
    assert project.answer() == 42
    again = project.run("approve", "--local", "tiny/2")
    assert again.code == 5
    assert "tiny/2 is already Approved" in again.out
    assert project.good("deploy", "--local").splitlines()[0] == "tiny: tiny/1 is live"
    assert project.run("deploy", "--local", "--retry", "tiny/2").code == 5


def test_endpoints_of_one_group_do_not_wait_for_each_other(project: Project) -> None:
    """A version that fails at one is live at the other, and tried again where it failed."""
    broken = "if os.environ.get('BROKEN'): raise ValueError('broken')"
    serve = SERVE.replace("import json", "import json, os").replace(
        "(model_dir):\n", f"(model_dir):\n    {broken}\n"
    )
    (project.folder / "serving" / "inference.py").write_text(serve)
    spec = SPEC + textwrap.dedent("""\
        |  other:
        |    kind: deployment
        |    after: [register]
        |    group: ${steps.register.group}
        |    endpoint: other
        |    environment: {BROKEN: "1"}
        |    serverless: {}
    """).replace("|", "")
    (project.folder / "pipeline.yaml").write_text(spec)
    project.good("run")
    failed = project.run("approve", "--local", "tiny/1")
    assert failed.code == 5
    assert "version 1 failed on other: the model does not load: ValueError: broken" in failed.err
    assert "tiny: tiny/1 is live" in failed.out
    again = project.run("deploy", "--local", "--retry", "tiny/1")
    assert again.code == 5
    assert "version 1 failed on other" in again.err
    (project.folder / "pipeline.yaml").write_text(spec.replace("{BROKEN", "{WHOLE"))
    assert "other: tiny/1 is live" in project.good("deploy", "--local")
    needless = project.run("deploy", "--local", "--retry", "tiny/1")
    assert needless.code == 2
    assert "tiny/1 has not failed on" in needless.err


def test_from_upsert_to_an_answer(project: Project) -> None:
    """The account's way, on the local SageMaker: upsert, start, wait, approve, deploy, invoke."""
    project.good("upsert", "--local")
    assert "nothing to do" in project.good("upsert", "--local")
    assert "Succeeded" in project.good("start", "--local", "--wait")
    project.good("approve", "--local", "tiny/1")
    assert project.good("deploy", "--local").splitlines()[0] == "tiny: tiny/1 is live"
    assert project.answer() == 42


@pytest.mark.parametrize("seconds", KILLED_AFTER)
def test_an_approval_that_was_killed_is_finished_by_the_next_deploy(
    registered: Project, seconds: float
) -> None:
    """Wherever SIGKILL hits, the next reconciliation ends where an undisturbed one does."""
    project = registered
    words = [sys.executable, "-m", "pipelines", "approve", "--local", "tiny/1"]
    with subprocess.Popen(
        words, cwd=project.folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as approve:
        with suppress(subprocess.TimeoutExpired):
            approve.wait(seconds)
        approve.kill()
    project.good("approve", "--local", "tiny/1")
    assert project.good("deploy", "--local").splitlines()[0] == "tiny: tiny/1 is live"
    assert project.answer() == 42


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("approve", "--local", "tiny/9"), 2, "the group tiny has no version 9"),
        (("approve", "--local", "tiny/9"), 2, "see `pipelines models --local tiny`"),
        (("approve", "--local", "tiny"), 2, "write GROUP/NUMBER or GROUP/latest"),
        (("approve", "--local", "none/1"), 2, "there is no model package group `none`"),
        (("deploy", "--local", "--retry", "tiny/1"), 2, "tiny/1 has not failed on tiny"),
        (("deploy", "--local", "--retry", "none/1"), 2, "no deployment step of the group none"),
        (("invoke", "--local", "nobody", "--file", "sample.json"), 2, "endpoints: tiny"),
        (("invoke", "--local", "tinny", "--file", "sample.json"), 2, "did you mean `tiny`?"),
        (("invoke", "--local", "tiny", "--file", "bad.json"), 4, "JSONDecodeError"),
        (("invoke", "--local", "tiny", "--file", "empty.json"), 2, "the request has no body"),
        (("invoke", "--local", "tiny", "--file", "huge.json"), 4, "serverless endpoint takes"),
        (("approve", "tiny/1"), 2, "has no `aws:`"),
    ],
)
def test_mistakes_are_told_without_a_traceback(
    bad_input: Project, words: tuple[str, ...], code: int, said: str
) -> None:
    """What is not there, what is too large, what the model refuses."""
    done = bad_input.run(*words)
    assert said in done.err
    assert "Traceback" not in done.err
    assert done.code == code


@pytest.fixture(scope="module")
def bad_input(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Give a project with an endpoint, and files that it will refuse."""
    project = write_project(tmp_path_factory.mktemp("bad"))
    folder = project.folder
    (folder / "bad.json").write_text("no JSON")
    (folder / "empty.json").write_text("")
    (folder / "huge.json").write_text('{"x": "' + "1" * (5 << 20) + '"}')
    project.register(21, "-p", "approval_status=Approved")
    return project


_STRANGER = """\
import json, sys
import boto3
sagemaker, runtime = boto3.client("sagemaker"), boto3.client("sagemaker-runtime")
pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName="tiny")
arns = [p["ModelPackageArn"] for page in pages for p in page["ModelPackageSummaryList"]]
sagemaker.update_model_package(ModelPackageArn=arns[0], ModelApprovalStatus="Approved")
sagemaker.create_model(ModelName="m", PrimaryContainer={"ModelPackageName": arns[0]},
                       ExecutionRoleArn="arn:aws:iam::000000000000:role/x")
sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[{
    "VariantName": "A", "ModelName": "m", "InstanceType": "ml.m5.large",
    "InitialInstanceCount": 1}])
sagemaker.create_endpoint(EndpointName="mine", EndpointConfigName="c")
sagemaker.get_waiter("endpoint_in_service").wait(
    EndpointName="mine", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
answer = runtime.invoke_endpoint(EndpointName="mine", Body=b'{"x": 3}')
print(json.load(answer["Body"])["y"])
sagemaker.delete_endpoint(EndpointName="mine")
sagemaker.get_waiter("endpoint_deleted").wait(
    EndpointName="mine", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
"""


def test_a_script_that_knows_nothing_of_us_works_while_serve_runs(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Stock boto3, its paginators and waiters, with nothing but AWS_ENDPOINT_URL.

    And the commands use the running `serve`, which keeps the endpoint answering.
    """
    project.register(7)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "script.py").write_text(textwrap.dedent(_STRANGER))
    presence = project.folder / ".pipelines" / "serve.json"
    words = [sys.executable, "-m", "pipelines", "serve", "--port", "0"]
    with subprocess.Popen(
        words,
        cwd=project.folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as serve:
        try:
            until(lambda: presence.is_file() and bool(presence.read_text()))
            url = json.loads(presence.read_text())["url"]
            done = subprocess.run(
                [sys.executable, "script.py"],
                cwd=elsewhere,
                env={
                    "AWS_ENDPOINT_URL": url,
                    "AWS_ACCESS_KEY_ID": "any",
                    "AWS_SECRET_ACCESS_KEY": "any",
                    "AWS_DEFAULT_REGION": "us-east-1",
                },
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
            assert done.stdout == "21\n", done.stderr
            project.good("deploy", "--local")
            assert project.answer() == 14
        finally:
            serve.terminate()
        assert serve.wait(30) == 0
