"""A model that shows what it is sent, for endpoints and transform jobs."""

from __future__ import annotations

import io
import tarfile

from pipelines.json_types import JsonObject
from tests.acceptance.target import Target

SERVERLESS = "serverless/2048MB"
"""What requests to the endpoint use of an account: it bills the time of requests alone."""

TRANSFORM = "transform/ml.m5.large"
TRANSFORM_MINUTES = 10
"""How long a transform job may run at most: the service ends none by itself."""

_CODE = """\
import json, os
def model_fn(model_dir):
    return {name: value for name, value in os.environ.items() if name.startswith("SAGEMAKER_")}
def input_fn(body, content_type):
    text = body.decode("latin-1") if isinstance(body, bytes) else body
    if text.startswith("fail"):
        raise ValueError("the model refuses this")
    return text
def predict_fn(text, model):
    return {"text": text, "batch": model.get("SAGEMAKER_BATCH"),
            "strategy": model.get("SAGEMAKER_BATCH_STRATEGY")}
def output_fn(prediction, accept):
    return json.dumps(prediction), "application/json"
"""


def create_model(target: Target, what: str) -> str:
    """Create the model and return its name."""
    buffer, code = io.BytesIO(), _CODE.encode()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo("code/inference.py")
        entry.size = len(code)
        archive.addfile(entry, io.BytesIO(code))
    key = f"{what}/model.tar.gz"
    target.client("s3").put_object(Bucket=target.bucket, Key=key, Body=buffer.getvalue())
    name = target.named(what)
    target.sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={
            "Image": target.image,
            "ModelDataUrl": target.uri(key),
            "Environment": {
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
            },
        },
        ExecutionRoleArn=target.role,
        Tags=target.tags,
    )
    return name


def create_config(target: Target, what: str, model: str, concurrency: int = 1) -> str:
    """Create a serverless endpoint config and return its name."""
    name = target.named(what)
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": concurrency}
    variant = {"VariantName": "AllTraffic", "ModelName": model, "ServerlessConfig": serverless}
    target.sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=[variant], Tags=target.tags
    )
    return name


def describe_endpoint(target: Target, name: str) -> JsonObject:
    """Describe an endpoint once no change of it is in progress."""
    return target.settled(
        lambda: target.sagemaker.describe_endpoint(EndpointName=name), "EndpointStatus"
    )
