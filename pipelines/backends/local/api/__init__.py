"""The local SageMaker over HTTP: SageMaker, its runtime, S3, STS and logs on one loopback port.

Any boto3 or AWS CLI reaches it through `AWS_ENDPOINT_URL`. Neither botocore nor uvicorn is
imported before a server starts.
"""

from pipelines.backends.local.api import presence
from pipelines.backends.local.api.serving import on_demand, running

__all__ = ["on_demand", "presence", "running"]
