"""The account that pushes go to: a local SageMaker under an account id, and its EventBridge.

The tool's commands do not know that it is local: they reach it as any account, by AWS_ENDPOINT_URL.
EventBridge is moto's, which `plan` and `approve` ask for the rule. What CloudFormation would make
of the templates is taken from them: the rule here, roles and the rest nowhere. The template of the
shared stack is made as `ci apply` makes it, beside what another repository has there.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.backends.local.api import running
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import LocalSettings
from pipelines.infra.model import Options, Place
from pipelines.infra.shared import shared
from pipelines.infra.tenants import tenants_in
from pipelines.infra.wheel import tool_wheel
from tests import fast_yaml
from tests.functional.ci.templates import Template
from tests.functional.cli.in_process import Answer, run_in
from tests.package_events import ACCOUNT, REGION

ROOT = Path(__file__).parents[3]
BUCKET = "tiny-bucket"
SPEC = f"""\
spec: 1
pipeline: tiny
aws:
  region: {REGION}
  role: arn:aws:iam::{ACCOUNT}:role/tiny
  job_role: arn:aws:iam::{ACCOUNT}:role/tiny-jobs
  deploy_role: arn:aws:iam::{ACCOUNT}:role/tiny-deploy
  bucket: {BUCKET}
data:
  factor: data/
defaults:
  image: sklearn-1.9-cpu
  instance_type: ml.m5.large
steps:
  train:
    kind: training
    script: steps/train.py
    inputs:
      factor: ${{data.factor}}
  register:
    kind: registration
    group: tiny
    model: ${{steps.train.model}}
    serving:
      source: serving/
      image: sklearn-1.9-cpu
  deploy:
    kind: deployment
    after: [register]
    group: ${{steps.register.group}}
    endpoint: tiny
    sample: serving/sample.json
    serverless:
      max_concurrency: 2
"""
FILES = {
    "pipeline.yaml": SPEC,
    "README.md": "# tiny\n",
    "data/factor": "21",
    "steps/train.py": """\
import os
from pathlib import Path

factor = Path(os.environ["SM_CHANNEL_FACTOR"], "factor").read_text()
Path(os.environ["SM_MODEL_DIR"], "factor").write_text(factor)
""",
    "serving/inference.py": """\
import json
from pathlib import Path


def model_fn(model_dir):
    return int(Path(model_dir, "factor").read_text())


def transform_fn(model, body, content_type, accept):
    return json.dumps({"y": model * json.loads(body)["x"]}), "application/json"
""",
    "serving/sample.json": '{"x": 2}',
    "tests/test_inference.py": """\
def test_the_model_multiplies():
    from serving.inference import transform_fn
    assert transform_fn(21, '{"x": 2}', None, None)[0] == '{"y": 42}'
""",
    "tests/conftest.py": "import sys\nsys.path.insert(0, '.')\n",
}


@dataclass(frozen=True)
class Cloud:
    """An account, a repository, and a person's clone of it.

    Args:
        folder: where everything of the repository is.
        sagemaker: what answers as SageMaker and S3.
        variables: with which AWS is reached.
        account: where everything of the account is.
        name: of the pipeline, and of its repository.
    """

    folder: Path
    sagemaker: LocalSageMaker
    variables: dict[str, str]
    account: Path
    name: str = "tiny"

    def beside(self, name: str) -> Cloud:
        """Return another repository in the same account, with a pipeline of its own."""
        folder = self.folder / name
        folder.mkdir()
        other = replace(self, folder=folder, name=name)
        _make_repository(other)
        spec = SPEC.replace("tiny", name).replace(f"{name}-bucket", BUCKET)
        other.write({**FILES, "pipeline.yaml": spec})
        return other

    @property
    def clone(self) -> Path:
        """The person's clone."""
        return self.folder / "clone"

    @property
    def templates(self) -> Path:
        """The templates of the stacks that are there."""
        return self.account / "stacks"

    @property
    def executions(self) -> Path:
        """Where the hook writes what it ran."""
        return self.account / "executions"

    def command(self, *words: str) -> Answer:
        """Give a command to the tool as the person would."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.variables.items():
                patch.setenv(name, value)
            return run_in(self.clone, *words)

    def good(self, *words: str) -> str:
        """Give a command that has to succeed; return what it prints."""
        answer = self.command(*words)
        assert answer.code == 0, answer.out + answer.err
        return answer.out + answer.err

    def write(self, files: dict[str, str]) -> None:
        """Write files into the clone."""
        for name, text in files.items():
            path = self.clone / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def push(self, message: str, branch: str = "main") -> list[dict[str, Any]]:
        """Commit everything and push it; return the executions that this starts."""
        before = set(self.executions.glob("*.json"))
        self.git("checkout", "--quiet", "-B", branch)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "origin", branch)
        made = sorted(set(self.executions.glob("*.json")) - before)
        return [json.loads(path.read_text()) for path in made]

    def git(self, *words: str) -> str:
        """Run git in the clone."""
        done = subprocess.run(
            ["git", "-c", "user.name=P", "-c", "user.email=p@example.com", *words],  # noqa: S607 - git by its name
            cwd=self.clone, env=_environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def client(self, service: str, url: str | None = None) -> Any:
        """Return a client of the account, or of what is at a URL."""
        import botocore.session  # noqa: PLC0415 - takes a while

        return botocore.session.Session().create_client(
            service,
            region_name=REGION,
            endpoint_url=url or self.variables["AWS_ENDPOINT_URL"],
            aws_access_key_id=self.variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.variables["AWS_SECRET_ACCESS_KEY"],
        )

    def deploy_stacks(self) -> None:
        """Take over the templates that `ci init` wrote into the clone; make the rule."""
        self.templates.mkdir(exist_ok=True)
        for path in sorted((self.clone / "infra").iterdir()):
            there = self.templates / path.name
            is_shared = path.name.startswith("shared.") and there.exists()
            there.write_text(_merged(path, there) if is_shared else path.read_text())
        events = self.client("events", self.variables["AWS_ENDPOINT_URL_EVENTBRIDGE"])
        for _, rule in self.template.of_type("AWS::Events::Rule"):
            events.put_rule(Name=rule["Name"], EventPattern=json.dumps(rule["EventPattern"]))
            targets = [{"Id": one["Id"], "Arn": one["Arn"]} for one in rule["Targets"]]
            events.put_targets(Rule=rule["Name"], Targets=targets)

    @property
    def template(self) -> Template:
        """The template of the pipeline's stack."""
        return Template(self.templates / f"{self.name}.yaml")


@contextmanager
def cloud(folder: Path, wheel: Path) -> Iterator[Cloud]:
    """Make an account with the tool's wheel in its bucket, a repository with a hook, a clone."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - takes two seconds

    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    home = folder / "account"
    settings = LocalSettings(home, Path(sys.executable), region=REGION, account=ACCOUNT)
    with LocalSageMaker(settings) as sagemaker, running(sagemaker, execute=True) as api:
        key = Options(version=tool_wheel().version, digest=tool_wheel().digest).wheel_key
        sagemaker.objects.put_bytes(f"s3://{BUCKET}/{key}", wheel.read_bytes())
        host, port = moto.get_host_and_port()
        variables = {
            "AWS_ENDPOINT_URL": api.url,
            "AWS_ENDPOINT_URL_EVENTBRIDGE": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": api.credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": api.credentials.secret_key,
            "AWS_CONFIG_FILE": str(folder / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
        }
        made = Cloud(folder, sagemaker, variables, folder)
        made.executions.mkdir()
        _make_repository(made)
        made.write(FILES)
        yield made
    moto.stop()


def _merged(path: Path, there: Path) -> str:
    """Make the template of the shared stack for both repositories, by their facts in it."""
    tenants = {
        one.repository: one
        for file in (there, path)
        for one in tenants_in(fast_yaml.load(file.read_text())["Metadata"])
    }
    _, account, region, _ = path.name.split(".")
    return shared(Place(account, region, "aws"), tenants.values()).text()


def _make_repository(made: Cloud) -> None:
    bare, told = made.folder / f"{made.name}.git", made.folder / "cloud.json"
    made.clone.mkdir()
    for words in (["--bare", str(bare)], [str(made.clone)]):
        command = ["git", "init", "--quiet", "--initial-branch", "main", *words]
        subprocess.run(command, check=True, env=_environment())
    made.git("remote", "add", "origin", str(bare))
    paths = {"templates": made.templates, "executions": made.executions}
    told.write_text(
        json.dumps(
            {
                **{n: str(p) for n, p in paths.items()},
                "variables": made.variables,
                "repository": f"team/{made.name}",
            }
        )
    )
    hook = bare / "hooks" / "post-receive"
    words = [sys.executable, "-m", "tests.functional.ci.codepipeline", str(told)]
    hook.write_text(f"#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.join(words)}\n")
    hook.chmod(0o755)


def _environment() -> dict[str, str]:
    """Return the variables of git, without those of a repository that tests run in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
