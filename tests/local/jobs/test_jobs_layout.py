from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest

from pipelines.backends.local.executors import processing, training
from pipelines.execution.status import StepStatus

if TYPE_CHECKING:
    from tests.local.jobs.conftest import Local

READ = """
import json, os, pathlib, sys
root = pathlib.Path(sys.argv[1])
print(json.dumps({str(p.relative_to(root)): p.read_text() for p in root.rglob('*') if p.is_file()}))
"""


CUT = gzip.compress(b"1,2" * 99)[:-9]
BAD = gzip.compress(b"1,2")[:10] + b"\xff" * 20


def files_seen(local: Local, log: str) -> dict[str, str]:
    """Read what the script READ printed."""
    del local
    seen: dict[str, str] = json.loads(log.splitlines()[-1])
    return seen


def test_training_finds_its_three_config_files(local: Local) -> None:
    """FACTS 3.4: hyperparameters are strings, FastFile shows as File, groups are named."""
    local.store.put_bytes("s3://bucket/train/a.csv", b"1")
    fast = local.channel("train", "s3://bucket/train") | {
        "InputMode": "FastFile",
        "ContentType": "text/csv",
    }
    call = local.call(
        local.training(
            "python3", "-c", READ, "/opt/ml/input",
            HyperParameters={"epochs": "4", "where": "/opt/ml/model"}, InputDataConfig=[fast],
        )
    )  # fmt: skip
    assert training.execute(call).status is StepStatus.SUCCEEDED
    seen = files_seen(local, local.log(call))
    assert seen["data/train/a.csv"] == "1"
    parameters = json.loads(seen["config/hyperparameters.json"])
    assert parameters["epochs"] == "4"
    if call.settings.isolation == "namespaces":
        assert parameters["where"] == "/opt/ml/model"
    else:
        assert parameters["where"].endswith("/algo-1/opt/ml/model")
    assert json.loads(seen["config/inputdataconfig.json"]) == {
        "train": {
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
            "ContentType": "text/csv",
        }
    }
    me = "algo-1" if call.settings.isolation == "namespaces" else "127.0.0.1"
    assert json.loads(seen["config/resourceconfig.json"]) == {
        "current_host": me,
        "current_instance_type": "ml.m5.xlarge",
        "current_group_name": "homogeneousCluster",
        "hosts": [me],
        "instance_groups": [
            {
                "instance_group_name": "homogeneousCluster",
                "instance_type": "ml.m5.xlarge",
                "hosts": [me],
            }
        ],
        "network_interface_name": "lo",
    }


def test_processing_finds_its_request_and_its_output_folders(local: Local) -> None:
    """FACTS 3.4: the whole request with the ARN, hosts, and outputs made before the start."""
    script = "import os; print(sorted(os.listdir('/opt/ml/processing/output')))\n" + READ
    call = local.call(
        local.processing(
            "python3", "-c", script, "/opt/ml/config",
            ProcessingOutputConfig={"Outputs": [local.s3_output("o", "s3://bucket/out")]},
        )
    )  # fmt: skip
    assert processing.execute(call).status is StepStatus.SUCCEEDED
    listed, seen = local.log(call).splitlines()
    assert listed == "['o']"
    config = json.loads(json.loads(seen)["processingjobconfig.json"])
    assert config["ProcessingJobName"] == call.job_name
    assert config["ProcessingJobArn"].endswith(f":processing-job/{call.job_name}")
    assert config["AppSpecification"]["ImageUri"] == "image:1"
    assert set(json.loads(json.loads(seen)["resourceconfig.json"])) == {"current_host", "hosts"}
    assert local.clean()


def test_a_script_given_as_an_input_runs(local: Local) -> None:
    """The SDK's ScriptProcessor names its script by its path below /opt/ml."""
    local.store.put_bytes(
        "s3://bucket/code/x.py", b"import sys\nopen(sys.argv[1] + '/a.txt', 'w').write('done')"
    )
    call = local.call(
        local.processing(
            "/usr/bin/python3", "/opt/ml/processing/input/code/x.py", "/opt/ml/processing/output/o",
            ProcessingInputs=[local.s3_input("code", "s3://bucket/code/x.py")],
            ProcessingOutputConfig={"Outputs": [local.s3_output("o", "s3://bucket/out")]},
        )
    )  # fmt: skip
    outcome = processing.execute(call)
    assert outcome.status is StepStatus.SUCCEEDED, local.log(call)
    assert local.store.get_bytes("s3://bucket/out/a.txt") == b"done"
    assert outcome.metadata == {"ProcessingJob": {"Arn": outcome.properties["ProcessingJobArn"]}}


def test_several_hosts_reach_each_other(local: Local) -> None:
    """Each host listens under its own name from resourceconfig.json, every other one connects."""
    script = """
import json, os, pathlib, socket, time
root = pathlib.Path(os.environ.get("PIPELINES_OPT_ML", "/opt/ml"))
config = json.loads((root / "input/config/resourceconfig.json").read_text())
server = socket.create_server((config["current_host"], 0))
ports = pathlib.Path(os.environ["PORTS"])
(ports / "new").joinpath(config["current_host"]).write_text(str(server.getsockname()[1]))
(ports / "new" / config["current_host"]).rename(ports / config["current_host"])
for host in config["hosts"]:
    while not (ports / host).exists():
        time.sleep(0.01)
    socket.create_connection((host, int((ports / host).read_text()))).close()
for _ in config["hosts"]:
    server.accept()
print(socket.gethostname(), len(config["hosts"]))
"""
    ports = local.home / "ports"
    (ports / "new").mkdir(parents=True)
    environment = {"PORTS": str(ports)}
    call = local.call(local.training("python3", "-c", script, hosts=3, Environment=environment))
    outcome = training.execute(call)
    assert outcome.status is StepStatus.SUCCEEDED, local.log(call)
    names = [local.log(call, f"algo-{n}").split()[0] for n in (1, 2, 3)]
    if call.settings.isolation == "namespaces":
        assert names == ["algo-1", "algo-2", "algo-3"]


def test_sharded_channels_are_dealt_out_by_object(local: Local) -> None:
    """Every object goes to exactly one host; a replicated channel goes to all."""
    for number in range(5):
        local.store.put_bytes(f"s3://bucket/d/{number}", b"")
    sharded = local.channel("part", "s3://bucket/d/", S3DataDistributionType="ShardedByS3Key")
    whole = local.channel("whole", "s3://bucket/d/")
    words = ("python3", "-c", READ, "/opt/ml/input/data")
    call = local.call(local.training(*words, hosts=2, InputDataConfig=[sharded, whole]))
    assert training.execute(call).status is StepStatus.SUCCEEDED
    shares = [
        {name.removeprefix("part/") for name in files_seen(local, local.log(call, host))
         if name.startswith("part/")}
        for host in ("algo-1", "algo-2")
    ]  # fmt: skip
    assert shares == [{"0", "2", "4"}, {"1", "3"}]
    assert sum(n.startswith("whole/") for n in files_seen(local, local.log(call, "algo-2"))) == 5
    assert "too few objects" not in local.log(call)
    one = {**sharded["DataSource"]["S3DataSource"], "S3Uri": "s3://bucket/d/4"}
    sharded["DataSource"] = {"S3DataSource": one}
    call = local.call(local.training(*words, hosts=2, InputDataConfig=[sharded]))
    assert training.execute(call).status is StepStatus.SUCCEEDED
    assert "channel `part` has too few objects: algo-2 gets none" in local.log(call)


def test_instance_groups_number_their_hosts_through_and_get_their_channels(local: Local) -> None:
    """A channel with InstanceGroupNames is on no other host."""
    local.store.put_bytes("s3://bucket/d/x", b"")
    only = local.channel("only", "s3://bucket/d/")
    only["DataSource"]["S3DataSource"]["InstanceGroupNames"] = ["gpu"]
    groups = [
        {"InstanceGroupName": "cpu", "InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
        {"InstanceGroupName": "gpu", "InstanceType": "ml.g5.xlarge", "InstanceCount": 1},
    ]
    request = local.training(
        "python3", "-c", READ, "/opt/ml/input", InputDataConfig=[only],
        ResourceConfig={"InstanceGroups": groups, "VolumeSizeInGB": 1},
    )  # fmt: skip
    call = local.call(request)
    assert training.execute(call).status is StepStatus.SUCCEEDED
    first, second = (files_seen(local, local.log(call, host)) for host in ("algo-1", "algo-2"))
    assert "data/only/x" not in first
    assert "data/only/x" in second
    config = json.loads(second["config/resourceconfig.json"])
    assert config["current_group_name"] == "gpu"
    assert [group["instance_type"] for group in config["instance_groups"]] == [
        "ml.m5.xlarge", "ml.g5.xlarge",
    ]  # fmt: skip


def test_a_prefix_brings_its_neighbours_along(local: Local) -> None:
    """FACTS 11.8: `…/train` brings `train_raw` too, as SageMaker would."""
    local.store.put_bytes("s3://bucket/d/train/x", b"1")
    local.store.put_bytes("s3://bucket/d/train_raw/y", b"2")
    inputs = [local.s3_input("in", "s3://bucket/d/train")]
    words = ("python3", "-c", READ, "/opt/ml/processing/input/in")
    call = local.call(local.processing(*words, ProcessingInputs=inputs))
    processing.execute(call)
    assert files_seen(local, local.log(call)) == {"x": "1", "train_raw/y": "2"}


def test_fast_file_inputs_cannot_harm_the_store(local: Local) -> None:
    """FastFile is a read-only mount; without mounts a job has a copy, as the log says."""
    local.store.put_bytes("s3://bucket/d/x", b"old")
    fast = local.channel("d", "s3://bucket/d/") | {"InputMode": "FastFile"}
    write = (
        "import os; p = '/opt/ml/input/data/d/x'; print(oct(os.stat(p).st_mode), flush=True);"
        "os.chmod(p, 0o644); open(p, 'w').write('new')"
    )
    call = local.call(local.training("python3", "-c", write, InputDataConfig=[fast]))
    outcome = training.execute(call)
    if call.settings.isolation == "namespaces":
        assert "Read-only file system" in local.log(call)
    else:
        assert outcome.status is StepStatus.SUCCEEDED, local.log(call)
        assert "channel `d` is read-only in SageMaker, but can be written here" in local.log(call)
    assert "0o100444" in local.log(call)
    assert local.store.get_bytes("s3://bucket/d/x") == b"old"


def test_a_manifest_names_the_objects(local: Local) -> None:
    """ManifestFile: a prefix and the keys after it; each is laid out by its relative key."""
    local.store.put_bytes("s3://bucket/far/a/x", b"1")
    local.store.put_bytes("s3://bucket/far/y", b"2")
    manifest = [{"prefix": "s3://bucket/far/"}, "a/x"]
    local.store.put_bytes("s3://bucket/m.json", json.dumps(manifest).encode())
    inputs = [local.s3_input("in", "s3://bucket/m.json", S3DataType="ManifestFile")]
    words = ("python3", "-c", READ, "/opt/ml/processing/input/in")
    call = local.call(local.processing(*words, ProcessingInputs=inputs))
    processing.execute(call)
    assert files_seen(local, local.log(call)) == {"a/x": "1"}


def test_gzip_channels_are_decompressed(local: Local) -> None:
    """CompressionType Gzip: the job reads plain files."""
    local.store.put_bytes("s3://bucket/d/x.csv.gz", gzip.compress(b"1,2"))
    packed = local.channel("d", "s3://bucket/d/") | {"CompressionType": "Gzip"}
    words = ("python3", "-c", READ, "/opt/ml/input/data/d")
    call = local.call(local.training(*words, InputDataConfig=[packed]))
    training.execute(call)
    assert files_seen(local, local.log(call)) == {"x.csv": "1,2"}


def test_a_missing_input_says_which_and_where_to_put_it(local: Local) -> None:
    """The reason names the URI, the input, and the file that would be it."""
    inputs = [local.s3_input("flights", "s3://bucket/none")]
    outcome = processing.execute(local.call(local.processing("true", ProcessingInputs=inputs)))
    assert outcome.status is StepStatus.FAILED
    assert outcome.reason == (
        "there is no object at s3://bucket/none, which input `flights` reads;"
        f" put it at {local.home}/s3/bucket/none, or have `pipelines run --fetch` read it from S3"
    )
    assert outcome.properties["ProcessingJobStatus"] == "Failed"
    assert local.clean()


@pytest.mark.parametrize("name", ["..", "../../x"])
def test_no_input_is_laid_out_outside_the_job(local: Local, name: str) -> None:
    """A channel or path that climbs out of /opt/ml is refused before anything is written."""
    local.store.put_bytes("s3://bucket/d/x", b"1")
    request = local.training("true", InputDataConfig=[local.channel(name, "s3://bucket/d/")])
    outcome = training.execute(local.call(request))
    assert outcome.status is StepStatus.FAILED
    assert "lies outside /opt/ml" in str(outcome.reason)


@pytest.mark.parametrize("content", [b"1,2\n", CUT, BAD], ids=["plain", "cut", "bad"])
def test_an_object_that_is_no_gzip_file_is_named(local: Local, content: bytes) -> None:
    """Plain, cut short, or with garbage inside: the user's news, with the object and its path."""
    local.store.put_bytes("s3://bucket/d/x.csv.gz", content)
    packed = local.channel("d", "s3://bucket/d/") | {"CompressionType": "Gzip"}
    outcome = training.execute(local.call(local.training("true", InputDataConfig=[packed])))
    assert outcome.status is StepStatus.FAILED
    assert outcome.reason is not None
    assert "s3://bucket/d/x.csv.gz is not a whole gzip file" in outcome.reason
    assert f"put one at {local.store.path_of('s3://bucket/d/x.csv.gz')}" in outcome.reason
