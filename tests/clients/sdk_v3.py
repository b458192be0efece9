"""What users of the SageMaker SDK v3 do, against a running `serve`.

`python tests/clients/sdk_v3.py` runs in an environment of its own (`make clients`), with what
`serve` prints to export.
"""

from __future__ import annotations

import json
import sys
import tempfile
import uuid
from pathlib import Path

import boto3
import sagemaker.core
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.processing import ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.core.shapes import ProcessingS3Input, ProcessingS3Output
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.function_step import step
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, SourceCode

ROLE = "sdk-role"
ROLE_ARN = f"arn:aws:iam::000000000000:role/{ROLE}"
BUCKET = "sdk-v3"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
TRAIN = """\
import os, pathlib
rows = pathlib.Path(os.environ["SM_CHANNEL_TRAINING"], "rows.csv").read_text().splitlines()
pathlib.Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text(str(len(rows)))
print("rows", len(rows))
"""
PREPARE = """\
import pathlib
text = pathlib.Path("/opt/ml/processing/input/rows.csv").read_text()
pathlib.Path("/opt/ml/processing/output/rows.csv").write_text(text.upper())
"""


class Clients:
    """The sessions of this program, and a folder with its sources."""

    def __init__(self, folder: Path) -> None:
        boto = boto3.Session()
        self.session = Session(boto_session=boto, default_bucket=BUCKET)
        self.pipelines = PipelineSession(boto_session=boto, default_bucket=BUCKET)
        self.unique = uuid.uuid4().hex[:8]
        self.folder = folder
        (folder / "train.py").write_text(TRAIN)
        (folder / "prepare.py").write_text(PREPARE)
        (folder / "data").mkdir()
        (folder / "data" / "rows.csv").write_text("a,1\nb,2\n")

    def trainer(self, session: Session) -> ModelTrainer:
        """Return a trainer; it takes the role by its name and examines it."""
        return ModelTrainer(
            training_image=IMAGE,
            source_code=SourceCode(source_dir=str(self.folder), entry_script="train.py"),
            compute=Compute(instance_type="ml.m5.large", instance_count=1),
            base_job_name=f"v3-{self.unique}",
            sagemaker_session=session,
            role=ROLE_ARN,
        )

    def processor(self, session: Session) -> ScriptProcessor:
        """Return a processor."""
        return ScriptProcessor(
            role=ROLE_ARN,
            image_uri=IMAGE,
            command=["python3"],
            instance_type="ml.m5.large",
            instance_count=1,
            base_job_name=f"v3-{self.unique}",
            sagemaker_session=session,
        )

    def places(self, name: str) -> tuple[ProcessingInput, ProcessingOutput]:
        """Return the data of the processing job, and where its output goes."""
        given = ProcessingS3Input(
            s3_uri=f"s3://{BUCKET}/{name}/in",
            local_path="/opt/ml/processing/input",
            s3_data_type="S3Prefix",
            s3_input_mode="File",
        )
        made = ProcessingS3Output(
            s3_uri=f"s3://{BUCKET}/{name}/out",
            local_path="/opt/ml/processing/output",
            s3_upload_mode="EndOfJob",
        )
        self.session.upload_data(str(self.folder / "data"), BUCKET, f"{name}/in")
        return (
            ProcessingInput(input_name="rows", s3_input=given),
            ProcessingOutput(output_name="rows", s3_output=made),
        )


def train(clients: Clients) -> None:
    """`ModelTrainer.train(wait=True)` on local data."""
    trainer = clients.trainer(clients.session)
    data = InputData(channel_name="training", data_source=str(clients.folder / "data"))
    trainer.train(input_data_config=[data], wait=True, logs=True)
    job = trainer._latest_training_job
    assert job.training_job_status == "Completed", job
    assert job.model_artifacts.s3_model_artifacts.endswith("/output/model.tar.gz")


def process(clients: Clients) -> None:
    """`ScriptProcessor.run(wait=True)`."""
    given, made = clients.places(clients.unique)
    clients.processor(clients.session).run(
        code=str(clients.folder / "prepare.py"), inputs=[given], outputs=[made], wait=True
    )
    stored = clients.session.read_s3_file(BUCKET, f"{clients.unique}/out/rows.csv")
    assert stored == "A,1\nB,2\n", stored


def pipeline(clients: Clients) -> None:
    """`upsert` twice, `start`, `wait`, `list_steps`, `list_parameters`; a job has no `result`."""
    given, made = clients.places("pipeline")
    processor = clients.processor(clients.pipelines)
    prepare = ProcessingStep(
        name="prepare",
        step_args=processor.run(
            code=str(clients.folder / "prepare.py"), inputs=[given], outputs=[made]
        ),
    )
    rows = prepare.properties.ProcessingOutputConfig.Outputs["rows"].S3Output.S3Uri
    data = InputData(channel_name="training", data_source=rows)
    trainer = clients.trainer(clients.pipelines)
    trained = TrainingStep(name="train", step_args=trainer.train(input_data_config=[data]))
    note = ParameterString(name="note", default_value="none")
    made_of = Pipeline(
        name=f"v3-{clients.unique}",
        parameters=[note],
        steps=[prepare, trained],
        sagemaker_session=clients.pipelines,
    )
    created = made_of.upsert(role_arn=ROLE_ARN, tags=[{"Key": "by", "Value": "v3"}])
    updated = made_of.upsert(role_arn=ROLE_ARN, tags=[{"Key": "again", "Value": "v3"}])
    assert created["PipelineArn"] == updated["PipelineArn"]
    assert json.loads(made_of.describe()["PipelineDefinition"])["Steps"]
    execution = made_of.start(parameters={"note": "x"})
    execution.wait(delay=1, max_attempts=120)
    assert execution.describe()["PipelineExecutionStatus"] == "Succeeded", execution.describe()
    steps = {one["StepName"]: one["StepStatus"] for one in execution.list_steps()}
    assert steps == {"prepare": "Succeeded", "train": "Succeeded"}, steps
    assert execution.list_parameters()["PipelineParameters"] == [{"Name": "note", "Value": "x"}]
    try:
        execution.result("train")
    except ValueError as refused:
        assert "@step" in str(refused), refused  # noqa: PT017 - no pytest here
    else:
        raise AssertionError("train has no result")
    made_of.delete()


def functions(clients: Clients) -> None:
    """Functions that `@step` makes steps of, and `execution.result()`.

    The job finds the SDK in this environment, as in an image that has it.
    """
    packages = str(Path(sagemaker.core.__file__).parents[2])
    job = {
        "instance_type": "ml.m5.large",
        "image_uri": IMAGE,
        "role": ROLE_ARN,
        "environment_variables": {"PYTHONPATH": packages},
    }

    def double(number: int) -> int:
        return 2 * number

    def describe(number: int) -> dict[str, int]:
        return {"number": number + 1}

    doubled = step(name="double", **job)(double)(20)
    made_of = Pipeline(
        name=f"v3-functions-{clients.unique}",
        steps=[step(name="describe", **job)(describe)(doubled)],
        sagemaker_session=clients.session,
    )
    made_of.upsert(role_arn=ROLE_ARN)
    execution = made_of.start()
    assert execution.result("describe") == {"number": 41}, execution.list_steps()
    assert execution.result("double") == 40
    made_of.delete()


def main() -> int:
    """Do all of it; a failed assertion is a traceback."""
    parts = (train, process, pipeline, functions)
    wanted = sys.argv[1:] or [one.__name__ for one in parts]
    with tempfile.TemporaryDirectory() as folder:
        clients = Clients(Path(folder))
        for one in parts:
            if one.__name__ in wanted:
                one(clients)
                print(f"ok  {one.__name__}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
