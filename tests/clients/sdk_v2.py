"""What users of the SageMaker SDK v2 do, against a running `serve`.

`python tests/clients/sdk_v2.py` runs in an environment of its own (`make clients`), with what
`serve` prints to export.
"""

from __future__ import annotations

import sys
import tempfile
import uuid
from pathlib import Path

import boto3
import sagemaker
from sagemaker.deserializers import CSVDeserializer
from sagemaker.inputs import TrainingInput
from sagemaker.model import ModelPackage
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer
from sagemaker.sklearn import SKLearn, SKLearnModel
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.steps import TrainingStep

ROLE = "arn:aws:iam::000000000000:role/sdk-role"
BUCKET = "sdk-v2"
FRAMEWORK = {"framework_version": "1.2-1", "py_version": "py3", "role": ROLE}
TRAIN = """\
import os, pathlib
if __name__ == "__main__":
    rows = pathlib.Path(os.environ["SM_CHANNEL_TRAINING"], "rows.csv").read_text().splitlines()
    pathlib.Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text(str(len(rows)))
"""
SERVE = """\
import pathlib
def model_fn(model_dir):
    return pathlib.Path(model_dir, "model.txt").read_text()
def input_fn(body, content_type):
    return body
def predict_fn(data, model):
    return model
def output_fn(prediction, accept):
    return prediction
"""


class Clients:
    """The sessions of this program, and a folder with its sources."""

    def __init__(self, folder: Path) -> None:
        boto = boto3.Session()
        self.session = sagemaker.Session(boto_session=boto, default_bucket=BUCKET)
        self.pipelines = PipelineSession(boto_session=boto, default_bucket=BUCKET)
        self.unique = uuid.uuid4().hex[:8]
        self.folder = folder
        (folder / "train.py").write_text(TRAIN)
        (folder / "inference.py").write_text(SERVE)
        (folder / "data").mkdir()
        (folder / "data" / "rows.csv").write_text("a,1\nb,2\n")
        self.data = self.session.upload_data(str(folder / "data"), key_prefix=self.unique)

    def estimator(self, session: sagemaker.Session) -> SKLearn:
        """Return an estimator."""
        return SKLearn(
            entry_point="train.py",
            source_dir=str(self.folder),
            instance_type="ml.m5.large",
            base_job_name=f"v2-{self.unique}",
            sagemaker_session=session,
            **FRAMEWORK,
        )

    def model(self, session: sagemaker.Session, data: object) -> SKLearnModel:
        """Return a model of an estimator's archive."""
        return SKLearnModel(
            model_data=data,
            entry_point="inference.py",
            source_dir=str(self.folder),
            sagemaker_session=session,
            **FRAMEWORK,
        )


def fit(clients: Clients) -> None:
    """`estimator.fit(wait=True)`, with its logs."""
    estimator = clients.estimator(clients.session)
    estimator.fit({"training": clients.data}, wait=True, logs="All")
    assert estimator.model_data.endswith("/output/model.tar.gz"), estimator.model_data
    assert estimator.latest_training_job.describe()["TrainingJobStatus"] == "Completed"


def register_and_deploy(clients: Clients) -> None:
    """A pipeline that trains and registers; `ModelPackage.deploy`, `Predictor.predict`."""
    estimator = clients.estimator(clients.pipelines)
    train = TrainingStep(
        name="train", step_args=estimator.fit({"training": TrainingInput(clients.data)})
    )
    archive = train.properties.ModelArtifacts.S3ModelArtifacts
    group = f"v2-{clients.unique}"
    registered = ModelStep(
        name="register",
        step_args=clients.model(clients.pipelines, archive).register(
            content_types=["text/csv"],
            response_types=["text/csv"],
            inference_instances=["ml.m5.large"],
            transform_instances=["ml.m5.large"],
            model_package_group_name=group,
            approval_status="PendingManualApproval",
        ),
    )
    made = Pipeline(
        name=f"v2-{clients.unique}",
        steps=[train, registered],
        sagemaker_session=clients.pipelines,
    )
    assert made.upsert(role_arn=ROLE)["PipelineArn"] == made.upsert(role_arn=ROLE)["PipelineArn"]
    execution = made.start()
    execution.wait(delay=1, max_attempts=180)
    assert execution.describe()["PipelineExecutionStatus"] == "Succeeded", execution.list_steps()
    client = clients.session.sagemaker_client
    (package,) = client.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    deploy(clients, package["ModelPackageArn"])


def deploy(clients: Clients, package: str) -> None:
    """Deploy a version; ask the endpoint; delete it."""
    model = ModelPackage(
        role=ROLE,
        model_package_arn=package,
        sagemaker_session=clients.session,
        predictor_cls=Predictor,
    )
    predictor = model.deploy(
        initial_instance_count=1,
        instance_type="ml.m5.large",
        endpoint_name=f"v2-{clients.unique}",
        serializer=CSVSerializer(),
        deserializer=CSVDeserializer(),
    )
    assert predictor.predict([["a", 1]]) == [["2"]]
    predictor.delete_endpoint(delete_endpoint_config=True)
    model.delete_model()


def main() -> int:
    """Do all of it; a failed assertion is a traceback."""
    with tempfile.TemporaryDirectory() as folder:
        clients = Clients(Path(folder))
        for one in (fit, register_and_deploy):
            if one.__name__ in (sys.argv[1:] or [one.__name__]):
                one(clients)
                print(f"ok  {one.__name__}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
