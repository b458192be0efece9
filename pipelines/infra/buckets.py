"""A bucket as every one of the tool's is: encrypted, versioned, private, TLS alone, kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pipelines.infra.template import attribute, ref, skipping, sub
from pipelines.json_types import JsonObject

_PART_DAYS: Final = 7


def kept_bucket(
    logical: str, more: JsonObject, rules: Iterable[JsonObject], key: str | None
) -> JsonObject:
    """Return a bucket that is encrypted, versioned and private, and its policy: TLS alone.

    Args:
        logical: its id in the template.
        more: further properties, its name among them.
        rules: of its lifecycle, besides those that every bucket has.
        key: the KMS key that it is encrypted with; None for S3's own.
    """
    own = {"SSEAlgorithm": "AES256"}
    encryption = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key} if key else own
    return {
        logical: {
            "Type": "AWS::S3::Bucket",
            "Metadata": skipping("CKV_AWS_18", _LOGGED),
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                **more,
                "BucketEncryption": {
                    "ServerSideEncryptionConfiguration": [
                        {"BucketKeyEnabled": True, "ServerSideEncryptionByDefault": encryption}
                    ]
                },
                "VersioningConfiguration": {"Status": "Enabled"},
                "PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": True,
                    "BlockPublicPolicy": True,
                    "IgnorePublicAcls": True,
                    "RestrictPublicBuckets": True,
                },
                "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
                "LifecycleConfiguration": {"Rules": [*rules, *_HOUSEKEEPING]},
            },
        },
        f"PolicyOf{logical}": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": ref(logical),
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [_tls_only(logical)]},
            },
        },
    }


_HOUSEKEEPING: Final[tuple[JsonObject, ...]] = (
    {
        "Id": "old-versions",
        "Status": "Enabled",
        "NoncurrentVersionExpiration": {"NoncurrentDays": ref("OldVersionsExpireAfterDays")},
    },
    {
        "Id": "unfinished-uploads",
        "Status": "Enabled",
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": _PART_DAYS},
    },
)

_LOGGED: Final = "access logs need a bucket of their own; CloudTrail's data events say more"


def _tls_only(logical: str) -> JsonObject:
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [attribute(logical), sub(f"${{{logical}.Arn}}/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
