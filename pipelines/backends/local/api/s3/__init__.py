"""S3, path-style, on the object store: what boto3, the AWS CLI and data libraries use of it."""

from pipelines.backends.local.api.s3.service import LONGEST, S3Service, refuse

__all__ = ["LONGEST", "S3Service", "refuse"]
