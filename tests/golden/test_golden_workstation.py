"""Each file of `workstation` is the template of a machine to develop the example of `infra` on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.infra.files import machine_file
from pipelines.infra.workstation import user_data, workstation
from pipelines.infra.workstation_choices import Workstation, ami_of
from tests import fast_yaml
from tests.golden.infra_projects import opened, project

FOLDER = Path(__file__).parent / "workstation"
USER_DATA_LIMIT = 16_384
"""Bytes of an instance's user data before they are encoded (EC2 user guide)."""

TORCH = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch:2.13-cpu-amzn2023-sagemaker"
CASES = {
    "gpu": ("g6.xlarge", (TORCH,), "https://github.com/team/churn.git"),
    "arm": ("m7g.large", (), ""),
}


def wanted(case: str, scratch: Path) -> Workstation:
    """Return what is asked for, in a case."""
    kind, images, repository = CASES[case]
    options, (delivery, *_) = opened(project("gov" if case == "arm" else "github", scratch))
    environment = delivery.first
    uri = f"s3://{environment.aws.bucket}/{options.wheel_key}"
    return Workstation(
        delivery.file, environment, kind, ami_of(kind, images), repository, "main", uri
    )


@pytest.mark.parametrize("case", CASES)
def test_the_template_is_what_the_golden_says(
    case: str, tmp_path: Path, *, update_golden: bool
) -> None:
    """Byte for byte; what CloudFormation reads is what it was built as."""
    made = wanted(case, tmp_path)
    text = workstation(made).text()
    golden = FOLDER / f"{case}.yaml"
    if update_golden:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")
    assert fast_yaml.load(text) == json.loads(json.dumps(workstation(made).document()))


@pytest.mark.parametrize("case", CASES)
def test_the_script_fits_into_user_data(case: str, tmp_path: Path) -> None:
    """With room for what the parameters may hold."""
    assert len(json.dumps(user_data(wanted(case, tmp_path))).encode()) < USER_DATA_LIMIT - 4096


@pytest.mark.slow
@pytest.mark.parametrize(("case", "region"), [("gpu", "eu-central-1"), ("arm", "us-gov-west-1")])
def test_cfn_lint_finds_nothing(case: str, region: str) -> None:
    """Neither an error nor a warning."""
    words = ("--regions", region, "--template", str(FOLDER / f"{case}.yaml"))
    command = [sys.executable, "-c", "from cfnlint.runner import main; main()", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


def test_nobody_can_reach_the_machine_from_outside(tmp_path: Path) -> None:
    """No inbound rule, no key pair, tokens for its metadata, an encrypted volume."""
    template = workstation(wanted("gpu", tmp_path)).document()
    firewall = template["Resources"]["Firewall"]["Properties"]
    assert "SecurityGroupIngress" not in firewall
    assert not any("Ingress" in one["Type"] for one in template["Resources"].values())
    launch = template["Resources"]["Launch"]["Properties"]["LaunchTemplateData"]
    assert "KeyName" not in launch
    assert launch["MetadataOptions"]["HttpTokens"] == "required"
    assert all(disk["Ebs"]["Encrypted"] for disk in launch["BlockDeviceMappings"])
    assert launch["InstanceInitiatedShutdownBehavior"] == "stop"


def test_a_machine_that_was_written_again_is_unchanged(tmp_path: Path) -> None:
    """The same words give the same bytes; an edit is seen."""
    options, _ = opened(project("github", tmp_path))
    made, path = wanted("gpu", tmp_path), tmp_path / "churn-workstation.yaml"
    path.write_text(machine_file(path, made, options).text, "utf-8")
    assert machine_file(path, made, options).state == "unchanged"
    path.write_text(path.read_text("utf-8") + "# mine\n", "utf-8")
    assert machine_file(path, made, options).state == "replace"
