"""A transform job over a million rows against the same serving code called in-process.

    python -m benchmarks.transform [ROUNDS]

One ONNX model and one CSV file of numbers. The job is created by plain boto3 under `serve`, and
its time is all of it, from the call until it is Completed, the start of its model server included.
The call in-process is a Python that loads the model, reads the file, and writes the result. Both
also with each result joined to its record.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.model_servers import WIDTH, ours, serving, write_model
from benchmarks.pairs import Figure, main, ratio

ROWS = 1_000_000
_SHORT_ROWS = 100_000
_COLUMNS = WIDTH

_SERVING = """\
import io, numpy, onnxruntime, pandas
def model_fn(model_dir):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    path = model_dir + "/model.onnx"
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
def transform_fn(model, body, content_type, accept):
    if isinstance(body, str):
        body = body.encode()
    rows = pandas.read_csv(io.BytesIO(body), header=None, dtype="float32").to_numpy()
    found = model.run(None, {"x": rows})[0][:, 0]
    return "\\n".join(f"{one:.6f}" for one in found.tolist()) + "\\n", "text/csv"
"""
_IN_PROCESS = """\
import sys
sys.path.insert(0, ".")
from inference import model_fn, transform_fn
model = model_fn(".")
with open("rows.csv", "rb") as file:
    body = file.read()
text = transform_fn(model, body, "text/csv", "text/csv")[0]
with open(sys.argv[1], "w") as file:
    if sys.argv[1] == "plain.out":
        file.write(text)
    else:
        for record, result in zip(body.decode().splitlines(), text.splitlines()):
            file.write(record + "," + result + "\\n")
"""


@dataclass(frozen=True, slots=True)
class Job:
    """One way to process the file: its name, and the members of the request for it."""

    name: str
    members: dict[str, Any]


JOBS = (Job("plain", {}), Job("joined", {"DataProcessing": {"JoinSource": "Input"}}))


def write_rows(folder: Path, rows: int) -> None:
    """Write the file, the model and its serving code."""
    import numpy as np  # noqa: PLC0415 - only for this

    write_model(folder)
    (folder / "inference.py").write_text(_SERVING)
    numbers = np.random.default_rng(0).normal(size=(1000, _COLUMNS)).round(4)
    block = "".join(",".join(map(str, row)) + "\n" for row in numbers.tolist())
    with (folder / "rows.csv").open("w") as file:
        for _ in range(rows // 1000):
            file.write(block)


def clients(url: str) -> tuple[Any, Any]:
    """Return boto3's clients of SageMaker and S3."""
    import boto3  # noqa: PLC0415 - only for this

    options: dict[str, Any] = {
        "endpoint_url": url,
        "region_name": "us-east-1",
        "aws_access_key_id": "local",
        "aws_secret_access_key": "local",
    }
    return boto3.client("sagemaker", **options), boto3.client("s3", **options)


def prepare(url: str, folder: Path) -> None:
    """Put the file and the archive into S3, and create the model."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as packed:
        packed.add(folder / "model.onnx", "model.onnx")
        packed.add(folder / "inference.py", "code/inference.py")
    sagemaker, store = clients(url)
    store.create_bucket(Bucket="bench")
    store.put_object(Bucket="bench", Key="model.tar.gz", Body=archive.getvalue())
    store.upload_file(str(folder / "rows.csv"), "bench", "in/rows.csv")
    sagemaker.create_model(
        ModelName="bench",
        PrimaryContainer={"Image": "sklearn", "ModelDataUrl": "s3://bench/model.tar.gz"},
        ExecutionRoleArn="arn:aws:iam::000000000000:role/bench",
    )


def transform(url: str, job: Job, number: int) -> float:
    """Run a transform job and return its seconds.

    Raises:
        SystemExit: it failed.
    """
    sagemaker, _ = clients(url)
    name = f"{job.name}-{number}"
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bench/in/"}}
    began = time.perf_counter()
    sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName="bench",
        TransformInput={"DataSource": source, "ContentType": "text/csv", "SplitType": "Line"},
        TransformOutput={
            "S3OutputPath": f"s3://bench/{name}",
            "AssembleWith": "Line",
            "Accept": "text/csv",
        },
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **job.members,
    )
    while True:
        found = sagemaker.describe_transform_job(TransformJobName=name)
        status = found["TransformJobStatus"]
        if status not in ("InProgress", "Stopping"):
            break
        time.sleep(0.05)
    took = time.perf_counter() - began
    if status != "Completed":
        sys.exit(f"the job is {status}: {found.get('FailureReason')}")
    return took


def in_process(folder: Path, job: Job) -> float:
    """Call the same serving code in a Python of its own and return its seconds."""
    began = time.perf_counter()
    subprocess.run((sys.executable, "-c", _IN_PROCESS, f"{job.name}.out"), cwd=folder, check=True)
    return time.perf_counter() - began


def check(url: str, folder: Path, job: Job, number: int) -> None:
    """Compare the results of both sides.

    Raises:
        SystemExit: they differ.
    """
    key = f"{job.name}-{number}/rows.csv.out"
    body = clients(url)[1].get_object(Bucket="bench", Key=key)["Body"].read()
    if body != (folder / f"{job.name}.out").read_bytes():
        sys.exit(f"the results of {job.name} are not those of the call in-process")


def figures(count: int, scratch: Path) -> list[Figure]:
    """Measure both sides in turn, round by round."""
    rows = _SHORT_ROWS if "--short" in sys.argv else ROWS
    write_rows(scratch, rows)
    server = ours(scratch)
    found: dict[str, list[tuple[float, float]]] = {job.name: [] for job in JOBS}
    with serving(server, scratch):
        prepare(server.ready, scratch)
        for number in range(count):
            for job in JOBS:
                times = transform(server.ready, job, number), in_process(scratch, job)
                check(server.ready, scratch, job, number)
                found[job.name].append(times)
    made = []
    for name, both in found.items():
        three = ratio(both)
        what = f"transform job of {rows:,} rows, {name}, s, to the call in-process"
        made.append(Figure(what, "at most 2", *three, three[2] <= 2))
    return made


if __name__ == "__main__":
    main("transform", 3, figures)
