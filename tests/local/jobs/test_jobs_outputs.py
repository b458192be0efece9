from __future__ import annotations

import io
import json
import stat
import tarfile
from typing import TYPE_CHECKING

import pytest

from pipelines.backends.local.executors import processing, training
from pipelines.backends.local.jobs.outputs import make_self_contained
from pipelines.backends.local.jobs.spec import HostPlan, JobHost
from pipelines.execution.status import StepStatus

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.json_types import JsonObject
    from tests.local.jobs.conftest import Local


def archive_of(local: Local, uri: str) -> dict[str, str]:
    """Read an archive's files; a link shows as where it leads."""
    with tarfile.open(fileobj=io.BytesIO(local.store.get_bytes(uri))) as archive:
        return {
            member.name: member.linkname or _text(archive, member)
            for member in archive
            if not member.isdir()
        }


def _text(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    content = archive.extractfile(member)
    assert content is not None
    return content.read().decode()


def test_the_hosts_models_are_merged(local: Local) -> None:
    """FACTS 3.4: `<S3OutputPath>/<job>/output/model.tar.gz` holds every host's files."""
    script = (
        "host=$(basename $(dirname $PWD)); mkdir -p /opt/ml/model/deep;"
        " echo $host > /opt/ml/model/deep/$host; echo $host > /opt/ml/model/same;"
        " echo log > /opt/ml/output/data/$host"
    )
    call = local.call(local.training("sh", "-c", script, hosts=2))
    outcome = training.execute(call)
    uri = f"s3://bucket/models/{call.job_name}/output/model.tar.gz"
    assert outcome.properties["ModelArtifacts"] == {"S3ModelArtifacts": uri}
    assert archive_of(local, uri) == {
        "deep/algo-1": "algo-1\n",
        "deep/algo-2": "algo-2\n",
        "same": "algo-1\n",
    }
    data = uri.replace("model.tar.gz", "output.tar.gz")
    assert set(archive_of(local, data)) == {"algo-1", "algo-2"}


def test_what_a_job_has_locked_is_opened_again(tmp_path: Path) -> None:
    """In the service root reads it; here the store belongs to whoever runs the tool."""
    model = tmp_path / "opt" / "ml" / "model"
    (model / "sub").mkdir(parents=True)
    (model / "sub" / "weights").write_text("w")
    (model / "sub" / "weights").chmod(0)
    (model / "sub").chmod(0o500)
    make_self_contained(model, JobHost(HostPlan("algo-1"), "127.0.0.1", tmp_path))
    assert stat.S_IMODE((model / "sub").stat().st_mode) == 0o700
    assert stat.S_IMODE((model / "sub" / "weights").stat().st_mode) == 0o400
    assert (model / "sub" / "weights").read_text() == "w"


def test_an_uncompressed_model_is_a_prefix(local: Local) -> None:
    """CompressionType NONE: the files themselves, and ModelArtifacts is their prefix."""
    output = {"S3OutputPath": "s3://bucket/models/", "CompressionType": "NONE"}
    script = "echo w > /opt/ml/model/weights"
    call = local.call(local.training("sh", "-c", script, OutputDataConfig=output))
    model = training.execute(call).properties["ModelArtifacts"]["S3ModelArtifacts"]
    assert model == f"s3://bucket/models/{call.job_name}/output/model/"
    assert local.store.get_bytes(f"{model}weights") == b"w\n"


def test_links_in_a_model_become_files(local: Local) -> None:
    """A link to a checkpoint is its content; dead links, circles and pipes are left out."""
    script = (
        "cd /opt/ml/model; echo w > real; ln -s real near; mkdir ../checkpoints;"
        " echo c > ../checkpoints/best; ln -s /opt/ml/checkpoints/best far;"
        " ln -s ../checkpoints folder; ln -s /nowhere dead; ln -s circle circle; mkfifo pipe;"
        " ln -s /opt/ml up"
    )
    call = local.call(local.training("sh", "-c", script))
    outcome = training.execute(call)
    assert outcome.status is StepStatus.SUCCEEDED, local.log(call)
    uri = outcome.properties["ModelArtifacts"]["S3ModelArtifacts"]
    assert archive_of(local, uri) == {
        "real": "w\n",
        "near": "w\n",
        "far": "c\n",
        "folder/best": "c\n",
    }


def test_a_failed_job_stores_no_outputs(local: Local) -> None:
    """Nobody downstream finds half a result."""
    script = "echo x > /opt/ml/processing/output/o/x; exit 1"
    outputs = {"Outputs": [local.s3_output("o", "s3://bucket/out")]}
    processing.execute(
        local.call(local.processing("sh", "-c", script, ProcessingOutputConfig=outputs))
    )
    assert list(local.store.list("s3://bucket/")) == []


def test_outputs_that_share_files_have_each_of_them(local: Local) -> None:
    """One folder may be uploaded twice, or with a folder in it that is an output by itself."""
    script = "cd /opt/ml/processing/output; echo x > o/x; mkdir -p o/sub; echo y > o/sub/y"
    places = {"a": "o", "b": "o", "c": "o/sub", "d": "alone"}
    listed = [local.s3_output(name, f"s3://bucket/{name}") for name in places]
    for output, place in zip(listed, places.values(), strict=True):
        output["S3Output"]["LocalPath"] = f"/opt/ml/processing/output/{place}"
    outputs = {"Outputs": listed}
    script += "; echo z > alone/z"
    call = local.call(local.processing("sh", "-c", script, ProcessingOutputConfig=outputs))
    assert processing.execute(call).status is StepStatus.SUCCEEDED, local.log(call)
    keys = [info.uri.removeprefix("s3://bucket/") for info in local.store.list("s3://bucket/")]
    assert keys == ["a/sub/y", "a/x", "b/sub/y", "b/x", "c/y", "d/z"]


def test_checkpoints_come_and_go(local: Local) -> None:
    """They are there at the start, saved at the end even of a failure, and deletions follow."""
    local.store.put_bytes("s3://bucket/ckpt/old", b"1")
    config = {"S3Uri": "s3://bucket/ckpt"}
    script = "cd /opt/ml/checkpoints; cat old; rm old; echo 2 > new; exit 1"
    call = local.call(local.training("sh", "-c", script, CheckpointConfig=config))
    assert training.execute(call).status is StepStatus.FAILED
    assert local.log(call) == "1"
    assert [info.uri for info in local.store.list("s3://bucket/ckpt")] == ["s3://bucket/ckpt/new"]


def test_instances_that_the_service_chooses_are_one_host(local: Local) -> None:
    """`InstancePreferences` stand for type and count."""
    request = local.processing("sh", "-c", "exit 0")
    cluster = request["ProcessingResources"]["ClusterConfig"]
    del cluster["InstanceType"], cluster["InstanceCount"]
    cluster["InstancePreferences"] = [{"InstanceType": "ml.m5.large", "InstanceCount": 1}]
    assert processing.execute(local.call(request)).status is StepStatus.SUCCEEDED


def test_a_bad_metric_expression_is_named_before_the_job_starts(local: Local) -> None:
    """The user's regular expression is the user's mistake, not our crash after an hour."""
    request = local.training("true")
    request["AlgorithmSpecification"]["MetricDefinitions"] = [{"Name": "auc", "Regex": "("}]
    outcome = training.execute(local.call(request))
    assert outcome.status is StepStatus.FAILED
    assert "the regular expression `(` of metric `auc` is not valid" in str(outcome.reason)


def test_properties_conform_to_botocores_shapes(local: Local) -> None:
    """What `Get Steps.x.…` reads has the shape of the Describe operations' responses."""
    loaders = pytest.importorskip("botocore.session")
    validate = pytest.importorskip("botocore.validate")
    model = loaders.Session().get_service_model("sagemaker")
    output = {"Outputs": [local.s3_output("o", "s3://bucket/out")]}
    done = [
        ("DescribeProcessingJob", processing, local.processing("true")),
        ("DescribeProcessingJob", processing, local.processing("false")),
        (
            "DescribeProcessingJob",
            processing,
            local.processing(
                "sh",
                "-c",
                "echo done > /opt/ml/output/message",
                ProcessingOutputConfig=output,
                Environment={"A": "1"},
                StoppingCondition={"MaxRuntimeInSeconds": 60},
            ),
        ),
        ("DescribeTrainingJob", training, local.training("echo", "auc=1")),
        ("DescribeTrainingJob", training, local.training("false", HyperParameters={"a": "1"})),
        ("DescribeTrainingJob", training, local.training()),
    ]
    for operation, executor, request in done:
        shape = model.operation_model(operation).output_shape
        properties = executor.execute(local.call(request)).properties
        report = validate.ParamValidator().validate(properties, shape)
        assert not report.has_errors(), report.generate_report()
        assert set(properties) <= set(shape.members)
        assert set(shape.required_members) <= set(properties)


SCRIPT = b"""
import argparse, json, os, helper
parser = argparse.ArgumentParser()
parser.add_argument("--optimizer")
parser.add_argument("--epochs", "-e", type=int)
known, _ = parser.parse_known_args()
print(json.dumps([known.optimizer, known.epochs, helper.ONE, os.environ["SM_CHANNEL_TRAIN"][-5:]]))
print(json.dumps([os.environ["SM_HPS"], os.environ["SM_HP_SO-ON"], os.environ["SM_USER_ARGS"]]))
open(os.path.join(os.environ["SM_MODEL_DIR"], "m"), "w").write("w")
"""


def toolkit_request(local: Local, tmp_path: Path, members: dict[str, bytes]) -> JsonObject:
    """Write a request as the SDK's v2 estimators do, its code in the store."""
    path = tmp_path / "sourcedir.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    local.store.put_file("s3://bucket/code/sourcedir.tar.gz", path)
    local.store.put_bytes("s3://bucket/train/x", b"1")
    parameters = {
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": "s3://bucket/code/sourcedir.tar.gz",
        "optimizer": "adam",
        "e": 3,
        "so-on": True,
        "sizes": [1, "a"],
        "seeds": {"b": 2, "a": "1"},
        "version": "5",
    }
    return local.training(
        HyperParameters={name: json.dumps(value) for name, value in parameters.items()},
        InputDataConfig=[local.channel("train", "s3://bucket/train/")],
    )


def test_a_toolkit_style_training_runs_through_the_runtime(local: Local, tmp_path: Path) -> None:
    """No entrypoint but `sagemaker_program`: unpacked, started with SM_* and decoded arguments.

    These are written as `mapping.to_cmd_args` of sagemaker-training does.
    """
    request = toolkit_request(local, tmp_path, {"train.py": SCRIPT, "helper.py": b"ONE = 1"})
    call = local.call(request)
    outcome = training.execute(call)
    assert outcome.status is StepStatus.SUCCEEDED, local.log(call)
    told, variables = map(json.loads, local.log(call).splitlines()[-2:])
    assert told == ["adam", 3, 1, "train"]
    values, on, arguments = variables
    seeds = {"a": "1", "b": 2}
    given = {"optimizer": "adam", "e": 3, "so-on": True, "sizes": [1, "a"], "version": "5"}
    assert json.loads(values) == {**given, "seeds": seeds}
    assert on == "true"
    words = ["-e", "3", "--optimizer", "adam", "--seeds", "a=1,b=2", "--sizes"]
    assert json.loads(arguments) == [*words, "[1, 'a']", "--so-on", "True", "--version", "5"]
    uri = outcome.properties["ModelArtifacts"]["S3ModelArtifacts"]
    assert archive_of(local, uri) == {"m": "w"}


@pytest.mark.parametrize("name", ["../train.py", "/etc/x.py"])
def test_a_malicious_source_archive_is_refused(local: Local, tmp_path: Path, name: str) -> None:
    """Nothing of an archive is written that has a member outside it."""
    request = toolkit_request(local, tmp_path, {"train.py": SCRIPT, name: b""})
    outcome = training.execute(local.call(request))
    assert outcome.status is StepStatus.FAILED
    assert "the code of the step (sagemaker_submit_directory) cannot be unpacked" in str(
        outcome.reason
    )


def test_a_program_outside_the_submitted_code_is_refused(local: Local, tmp_path: Path) -> None:
    """`sagemaker_program` must be a file of the archive."""
    request = toolkit_request(local, tmp_path, {"train.py": SCRIPT})
    request["HyperParameters"]["sagemaker_program"] = '"../../../etc/passwd"'
    outcome = training.execute(local.call(request))
    assert "has no `../../../etc/passwd`" in str(outcome.reason)
