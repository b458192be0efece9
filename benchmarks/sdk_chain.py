"""A process → train → evaluate → condition chain compiled by SageMaker SDK v3 (the peer's side).

Run by `compile_vs_sdk.py` with the SDK's Python. AWS is moto; the SDK's check of the role is
patched out, since it would call IAM. With the argument `moto` only moto is started, so that its
time can be subtracted. With `upsert` (run by `upsert.py`) the pipeline goes to the server behind
AWS_ENDPOINT_URL.
"""

# ruff: noqa: E402 - moto has to be started before the SDK is imported

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

os.environ.update(
    AWS_DEFAULT_REGION="us-east-1", AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test"
)

UPSERT = sys.argv[1:] == ["upsert"]
if not UPSERT:
    from moto import mock_aws

    mock_aws().start()
if sys.argv[1:] == ["moto"]:
    sys.exit(0)

import sdk_patches  # type: ignore[import-not-found]  # beside this script
from sagemaker.core import image_uris
from sagemaker.core.processing import ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.core.shapes import ProcessingS3Input, ProcessingS3Output
from sagemaker.core.workflow import (
    ConditionGreaterThanOrEqualTo,
    JsonGet,
    ParameterFloat,
    PropertyFile,
)
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow import ConditionStep, FailStep, Pipeline, ProcessingStep, TrainingStep
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, SourceCode
from sagemaker.train.distributed import Torchrun

sdk_patches.spare_the_role()
if UPSERT:
    sdk_patches.stay_with_the_server()

ROLE = "arn:aws:iam::111122223333:role/flight-delays"
SESSION = PipelineSession()
IMAGE = image_uris.retrieve(
    "pytorch",
    region="us-east-1",
    version="2.8.0",
    py_version="py312",
    image_scope="training",
    instance_type="ml.m5.xlarge",
)
CODE = Path(tempfile.mkdtemp())
for script in ("features.py", "train.py", "evaluate.py"):
    (CODE / script).write_text("print(1)\n")


def processing(name: str, script: str, source: object, outputs: list[str], files: list[object]):  # type: ignore[no-untyped-def]  # noqa: ANN201 - the SDK has no types
    """Build one processing step."""
    processor = ScriptProcessor(
        image_uri=IMAGE,
        command=["python3"],
        instance_type="ml.m5.xlarge",
        instance_count=1,
        role=ROLE,
        sagemaker_session=SESSION,
        base_job_name=name,
    )
    s3_input = ProcessingS3Input(
        s3_uri=source,
        local_path="/opt/ml/processing/input/data",
        s3_data_type="S3Prefix",
        s3_input_mode="File",
        s3_data_distribution_type="FullyReplicated",
    )
    arguments = processor.run(
        code=str(CODE / script),
        inputs=[ProcessingInput(input_name="data", s3_input=s3_input)],
        outputs=[
            ProcessingOutput(
                output_name=output,
                s3_output=ProcessingS3Output(
                    s3_uri=f"s3://flight-delays-ml/runs/{output}",
                    local_path=f"/opt/ml/processing/output/{output}",
                    s3_upload_mode="EndOfJob",
                ),
            )
            for output in outputs
        ],
    )
    return ProcessingStep(name=name, step_args=arguments, property_files=files)


min_auc = ParameterFloat(name="min_auc", default_value=0.7)
features = processing("features", "features.py", "s3://b/raw", ["train", "test"], [])
trainer = ModelTrainer(
    training_image=IMAGE,
    source_code=SourceCode(source_dir=str(CODE), entry_script="train.py"),
    compute=Compute(instance_type="ml.m5.xlarge", instance_count=2),
    distributed=Torchrun(),
    role=ROLE,
    sagemaker_session=SESSION,
    base_job_name="train",
    hyperparameters={"epochs": 4},
)
train_output = features.properties.ProcessingOutputConfig.Outputs["train"].S3Output.S3Uri
trained = trainer.train(
    input_data_config=[InputData(channel_name="train", data_source=train_output)]
)
train = TrainingStep(name="train", step_args=trained)
report = PropertyFile(name="report", output_name="report", path="evaluation.json")
model = train.properties.ModelArtifacts.S3ModelArtifacts
evaluate = processing("evaluate", "evaluate.py", model, ["report"], [report])
auc = JsonGet(step_name=evaluate.name, property_file=report, json_path="auc")
gate = ConditionStep(
    name="good-enough",
    conditions=[ConditionGreaterThanOrEqualTo(left=auc, right=min_auc)],
    if_steps=[],
    else_steps=[FailStep(name="reject", error_message="AUC is too low")],
)
pipeline = Pipeline(
    name="chain",
    parameters=[min_auc],
    steps=[features, train, evaluate, gate],
    sagemaker_session=SESSION,
)
if UPSERT:
    print(pipeline.upsert(role_arn=ROLE)["PipelineArn"])
else:
    print(len(pipeline.definition()))
