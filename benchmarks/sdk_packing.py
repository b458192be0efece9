"""One processing step over a project folder, upserted by SageMaker SDK v3 (the peer's side).

Run by `packing.py` with the SDK's Python, against the server behind AWS_ENDPOINT_URL: the SDK
packs the folder into `sourcedir.tar.gz`, uploads it and updates the pipeline.
"""

from __future__ import annotations

import sys

import sdk_patches  # type: ignore[import-not-found]  # beside this script
from sagemaker.core.processing import FrameworkProcessor
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow import Pipeline, ProcessingStep

ROLE = "arn:aws:iam::123456789012:role/packing"

sdk_patches.spare_the_role()
sdk_patches.stay_with_the_server()
session = PipelineSession()
processor = FrameworkProcessor(
    role=ROLE,
    image_uri="123456789012.dkr.ecr.us-east-1.amazonaws.com/team:1",
    instance_count=1,
    instance_type="ml.m5.xlarge",
    sagemaker_session=session,
    base_job_name="use",
)
step = ProcessingStep(name="use", step_args=processor.run(code="use.py", source_dir=sys.argv[1]))
pipeline = Pipeline(name="packing-sdk", steps=[step], sagemaker_session=session)
print(pipeline.upsert(role_arn=ROLE)["PipelineArn"])
