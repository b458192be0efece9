"""Legal requests of every operation that the local API has, and seeded damage to them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.fuzz.mutations import SCALARS, mutated, text_mutated

ROLE = "arn:aws:iam::000000000000:role/x"
DEFINITION = json.dumps(
    {
        "Version": "2020-12-01",
        "Parameters": [{"Name": "n", "Type": "Integer", "DefaultValue": 1}],
        "Steps": [{"Name": "no", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}],
    }
)


@dataclass(frozen=True)
class RawRequest:
    """A request as it is sent; Content-Length is added if it is None."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    length: str | None = None
    host: str = ""

    def encoded(self) -> bytes:
        """Write it."""
        length = str(len(self.body)) if self.length is None else self.length
        lines = [
            f"{self.method} {self.target} HTTP/1.1",
            f"Host: {self.host}",
            *(f"{name}: {value}" for name, value in self.headers),
            *([f"Content-Length: {length}"] if length else []),
        ]
        return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogatepass") + self.body


def record(url: str) -> list[RawRequest]:
    """Call every operation once and return the requests."""
    recorded: list[RawRequest] = []

    def keep(request: Any, **_: Any) -> None:
        body = request.body
        if hasattr(body, "read"):
            body.seek(0)
            body = body.read()
        parts = urlsplit(request.url)
        headers = tuple(
            (name, value.decode() if isinstance(value, bytes) else str(value))
            for name, value in request.headers.items()
            if name.lower() not in {"content-length", "expect", "transfer-encoding", "user-agent"}
        )
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        data = body.encode() if isinstance(body, str) else bytes(body or b"")
        recorded.append(RawRequest(request.method, target, headers, data, None, parts.netloc))

    def client(service: str) -> Any:
        make: Any = boto3.client
        made = make(
            service,
            region_name="us-east-1",
            endpoint_url=url,
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
        )
        made.meta.events.register("before-send", keep)
        return made

    for call in (
        *_pipelines(client),
        *_models(client),
        *_endpoints(client),
        *_objects(client("s3")),
        *_rest(client),
    ):
        with suppress(ClientError):
            call()
    return recorded


Call = Callable[[], object]


def _pipelines(client: Callable[[str], Any]) -> Iterator[Call]:
    sm = client("sagemaker")
    name = {"PipelineName": "p"}
    yield lambda: sm.create_pipeline(
        **name, PipelineDefinition=DEFINITION, RoleArn=ROLE, Tags=[{"Key": "a", "Value": "b"}]
    )
    yield lambda: sm.update_pipeline(**name, PipelineDefinition=DEFINITION)
    yield lambda: sm.update_pipeline(
        **name, PipelineDefinitionS3Location={"Bucket": "bucket", "ObjectKey": "k"}
    )
    yield lambda: sm.describe_pipeline(**name)
    yield lambda: sm.list_pipelines(MaxResults=1, SortBy="Name", CreatedAfter=1)
    yield lambda: sm.list_pipeline_versions(**name)
    started: dict[str, str] = {}
    yield lambda: started.update(
        PipelineExecutionArn=sm.start_pipeline_execution(
            **name, PipelineParameters=[{"Name": "n", "Value": "2"}]
        )["PipelineExecutionArn"]
    )
    for operation in (
        "describe_pipeline_execution",
        "describe_pipeline_definition_for_execution",
        "list_pipeline_execution_steps",
        "list_pipeline_parameters_for_execution",
        "stop_pipeline_execution",
        "retry_pipeline_execution",
    ):
        yield lambda operation=operation: getattr(sm, operation)(**started)  # type: ignore[misc]  # bound now
    yield lambda: sm.list_pipeline_executions(**name, SortOrder="Descending")
    yield lambda: sm.delete_pipeline(PipelineName="other")


def _models(client: Callable[[str], Any]) -> Iterator[Call]:
    sm = client("sagemaker")
    group, arn = {"ModelPackageGroupName": "g"}, "arn:aws:sagemaker:us-east-1:000000000000:"
    container = {"Image": "image:1", "ModelDataUrl": "s3://bucket/model.tar.gz"}
    package = {"ModelPackageName": "g/1"}
    inference = {
        "Containers": [container],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    tags = [{"Key": "k", "Value": "v"}]
    yield lambda: sm.create_model_package_group(**group, Tags=tags)
    yield lambda: sm.create_model_package(
        **group,
        InferenceSpecification=inference,
        ModelApprovalStatus="Approved",
        CustomerMetadataProperties={"a": "b"},
    )
    yield lambda: sm.update_model_package(
        ModelPackageArn=f"{arn}model-package/g/1",
        ModelApprovalStatus="Rejected",
        ApprovalDescription="no",
    )
    yield lambda: sm.describe_model_package_group(**group)
    yield lambda: sm.describe_model_package(**package)
    yield lambda: sm.list_model_packages(**group, ModelApprovalStatus="Approved")
    yield lambda: sm.list_model_package_groups(NameContains="g", CreationTimeBefore=2e9)
    yield lambda: sm.create_model(ModelName="m", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    yield lambda: sm.describe_model(ModelName="m")
    yield lambda: sm.list_models(SortBy="Name", MaxResults=2)
    yield lambda: sm.add_tags(ResourceArn=f"{arn}model/m", Tags=tags)
    yield lambda: sm.list_tags(ResourceArn=f"{arn}model/m")
    yield lambda: sm.delete_tags(ResourceArn=f"{arn}model/m", TagKeys=["k"])
    yield lambda: sm.delete_model(ModelName="other")
    yield lambda: sm.delete_model_package(ModelPackageName="other")
    yield lambda: sm.delete_model_package_group(ModelPackageGroupName="other")


def _endpoints(client: Callable[[str], Any]) -> Iterator[Call]:
    sm = client("sagemaker")
    variant = {"VariantName": "A", "ModelName": "m", "InitialInstanceCount": 1}
    variants = [{**variant, "InstanceType": "ml.m5.large"}]
    weights = [{"VariantName": "A", "DesiredWeight": 0.5}]
    tags = [{"Key": "k", "Value": "v"}]
    yield lambda: sm.create_endpoint_config(EndpointConfigName="c", ProductionVariants=variants)
    yield lambda: sm.describe_endpoint_config(EndpointConfigName="c")
    yield sm.list_endpoint_configs
    yield lambda: sm.create_endpoint(EndpointName="e", EndpointConfigName="c", Tags=tags)
    yield lambda: sm.describe_endpoint(EndpointName="e")
    yield lambda: sm.list_endpoints(StatusEquals="InService")
    yield lambda: sm.update_endpoint(EndpointName="e", EndpointConfigName="c")
    yield lambda: sm.update_endpoint_weights_and_capacities(
        EndpointName="e", DesiredWeightsAndCapacities=weights
    )
    yield lambda: sm.delete_endpoint(EndpointName="other")
    yield lambda: sm.delete_endpoint_config(EndpointConfigName="other")


def _objects(s3: Any) -> Iterator[Call]:
    bucket, key = {"Bucket": "bucket"}, {"Bucket": "bucket", "Key": "a/k"}
    upload: dict[str, str] = {}
    part = {"PartNumber": 1, "ETag": '"0"'}
    yield lambda: s3.create_bucket(**bucket)
    yield lambda: s3.put_object(Bucket="bucket", Key="k", Body=DEFINITION.encode())
    yield lambda: s3.put_object(**key, Body=b"x" * 100, ContentType="text/csv", Metadata={"a": "b"})
    yield lambda: s3.get_object(**key, Range="bytes=1-2", ResponseContentType="text/html")
    yield lambda: s3.get_object(**key, IfModifiedSince="Thu, 26 Nov 2026 00:00:00 GMT")
    yield lambda: s3.head_object(**key)
    yield lambda: s3.list_objects_v2(**bucket, Prefix="a", Delimiter="/", MaxKeys=1, StartAfter="a")
    yield lambda: s3.list_objects(**bucket, Marker="a", Prefix="a")
    yield s3.list_buckets
    yield lambda: s3.head_bucket(**bucket)
    yield lambda: s3.get_bucket_location(**bucket)
    yield lambda: s3.get_bucket_versioning(**bucket)
    yield lambda: s3.copy_object(Bucket="bucket", Key="c", CopySource=key)
    yield lambda: upload.update(UploadId=s3.create_multipart_upload(**key)["UploadId"])
    yield lambda: s3.upload_part(**key, **upload, PartNumber=1, Body=b"x" * 10)
    yield lambda: s3.upload_part_copy(**key, **upload, PartNumber=2, CopySource=key)
    yield lambda: s3.list_parts(**key, **upload)
    yield lambda: s3.complete_multipart_upload(**key, **upload, MultipartUpload={"Parts": [part]})
    yield lambda: s3.abort_multipart_upload(**key, UploadId="0" * 32)
    yield lambda: s3.delete_objects(**bucket, Delete={"Objects": [{"Key": "x"}], "Quiet": True})
    yield lambda: s3.delete_object(Bucket="bucket", Key="x")
    yield lambda: s3.get_object_tagging(**key)
    yield lambda: s3.delete_bucket(Bucket="other")


def _rest(client: Callable[[str], Any]) -> Iterator[Call]:
    runtime, logs, sts = client("sagemaker-runtime"), client("logs"), client("sts")
    yield lambda: runtime.invoke_endpoint(
        EndpointName="e", Body=b"1,2", ContentType="text/csv", CustomAttributes="a"
    )
    yield lambda: logs.describe_log_streams(
        logGroupName="/aws/sagemaker/ProcessingJobs", logStreamNamePrefix="pipelines-abc-x"
    )
    yield lambda: logs.get_log_events(
        logGroupName="g", logStreamName="pipelines-abc-x/algo-1", nextToken="f/0", limit=1
    )
    yield sts.get_caller_identity


_ODD: Mapping[str, tuple[str, ...]] = {
    "Range": (
        "bytes=0-0",
        "bytes=-1",
        "bytes=5-1",
        "bytes=" + "9" * 5000 + "-",
        "lines=1",
        "bytes",
    ),
    "If-Match": ('"x"', "*", ""),
    "If-None-Match": ("*", 'W/"x", "y"'),
    "If-Modified-Since": ("Thu, 26 Nov 2026 00:00:00 GMT", "x", "9" * 40, "Thu, 99 Nov 0000 99:99"),
    "X-Amz-Target": ("SageMaker.ListModels", "SageMaker.", "Logs_20140328.x", "x", "SageMaker.é"),
    "X-Amz-Copy-Source": ("bucket/k", "/bucket/a%2fk", "x", "", "bucket/" + "a/" * 600, "%ff/%ff"),
    "X-Amz-Copy-Source-Range": ("bytes=0-0", "bytes=9-", "x"),
    "X-Amz-Content-Sha256": ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x"),
    "X-Amz-Decoded-Content-Length": ("0", "5", "-1", "9" * 30, "²"),
    "X-Amz-Trailer": ("x-amz-checksum-crc32", "x"),
    "X-Amz-Checksum-Crc32": ("AAAAAA==", "é"),
    "Content-MD5": ("x", "1B2M2Y8AsgTpgAmY7PhCfg=="),
    "Content-Encoding": ("aws-chunked", "gzip,aws-chunked", "é"),
    "Content-Type": ("application/x-www-form-urlencoded", "text/html; charset=é", ""),
    "Authorization": ("", "AWS4-HMAC-SHA256 Credential=a/b/c/ec2/aws4_request", "é" * 100),
    "Connection": ("close", "Upgrade", "x"),
    "Upgrade": ("websocket", "h2c"),
    "Expect": ("100-continue", "x"),
    "Host": ("evil", "127.0.0.1"),
    "Origin": ("null", "http://[", "http://localhost"),
    "X-Amz-Meta-X": ("é", "x" * 3000, "a,b"),
}
_PIECES = (
    "%",
    "%00",
    "%ff",
    "%2e%2e/",
    "//",
    "/../",
    "?",
    "&&",
    "=",
    "+",
    "a/" * 600,
    "é",
    "#",
    "\\",
)
_QUERIES = (
    "uploads", "uploadId=" + "0" * 32, "uploadId=../x", "partNumber=1", "partNumber=%C2%B2",
    "delete", "list-type=2", "list-type=2&continuation-token=W10=",
    "list-type=2&max-keys=" + "9" * 5000,
    "encoding-type=url", "prefix=%ff", "delimiter=%00", "response-expires=%0d%0a", "versionId=x",
    "Action=GetCallerIdentity", "Action=x", "X-Amz-Credential=a/b/c/sts/x", "location", "acl",
    "max-keys=0", "start-after=%F0%9F%98%80", "marker=",
    "list-type=2&continuation-token=" + "W1td" * 9,
)  # fmt: skip
_METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "x")
_BODIES = (
    b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 9000, b'{"a":' * 9000, b"<a>" * 9000,
    b"<?xml version='1.0' encoding='utf-7'?><Delete/>", b"<!DOCTYPE a><Delete/>", b"\x00" * 100,
    b'{"NextToken": "' + b"W1td" * 5000 + b'"}', b'{"NextToken": "W251bGwsIDFd"}',
    b"\xef\xbb\xbf{}",
    b"5;x=y\r\nhello\r\n0\r\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n", b"ffffffffffffffffff\r\n",
    b"0\r\n",
    b'{"ModelName": "\\ud800"}', b'{"MaxResults": 1e999}', b"Action=GetCallerIdentity&" * 999,
)  # fmt: skip
_NUMBERS: tuple[Any, ...] = (
    2**31,
    2**63,
    10**30,
    -(2**63),
    "\ud800",
    "\x00",
    "a" * 100_000,
    "-" * 3000,
    {},
    [[]],
)


def damaged(request: RawRequest, source: random.Random) -> RawRequest:
    """Return a request with one to three of its parts damaged."""
    for _ in range(source.randint(1, 3)):
        request = source.choice(_DAMAGES)(request, source)
    return request


def _method(request: RawRequest, source: random.Random) -> RawRequest:
    return replace(request, method=source.choice(_METHODS))


def _path(request: RawRequest, source: random.Random) -> RawRequest:
    path, mark, query = request.target.partition("?")
    at = source.randrange(len(path) + 1)
    path = path[:at] + source.choice(_PIECES) + path[at + source.choice((0, 0, 1, 3)) :]
    return replace(request, target=(path + mark + query).replace(" ", "%20"))


def _query(request: RawRequest, source: random.Random) -> RawRequest:
    path, _, query = request.target.partition("?")
    parts = [part for part in query.split("&") if part and source.random() < 0.8]
    parts.insert(source.randrange(len(parts) + 1), source.choice(_QUERIES))
    return replace(request, target=f"{path}?{'&'.join(parts)}")


def _headers(request: RawRequest, source: random.Random) -> RawRequest:
    headers = list(request.headers)
    if headers and source.random() < 0.3:
        del headers[source.randrange(len(headers))]
    if headers and source.random() < 0.3:
        at = source.randrange(len(headers))
        headers[at] = (headers[at][0], _line(text_mutated(headers[at][1], source)))
    name = source.choice(sorted(_ODD))
    headers.insert(source.randrange(len(headers) + 1), (name, source.choice(_ODD[name])))
    return replace(request, headers=tuple(headers))


def _line(text: str) -> str:
    return text.replace("\r", "").replace("\n", "")


def _body(request: RawRequest, source: random.Random) -> RawRequest:
    if source.random() < 0.3:
        return replace(request, body=source.choice(_BODIES))
    try:
        content = json.loads(request.body)
    except (ValueError, RecursionError):
        text = request.body.decode("latin-1")
        return replace(request, body=text_mutated(text, source).encode("utf-8", "surrogatepass"))
    content = mutated(content, source, (*SCALARS, *_NUMBERS))
    return replace(request, body=json.dumps(content).encode())


def _framing(request: RawRequest, source: random.Random) -> RawRequest:
    size = len(request.body)
    choices = ("", str(size + 1), str(max(0, size - 1)), "0", "-1", "x", "9" * 30, "0x1", "+1")
    if source.random() < 0.5:
        return replace(request, length=source.choice(choices))
    body = source.choice(
        (b"%x\r\n%b\r\n0\r\n\r\n" % (size, request.body), request.body, b"0\r\n\r\n")
    )
    headers = (
        *request.headers,
        ("Transfer-Encoding", source.choice(("chunked", "x", "chunked, x"))),
    )
    return replace(request, headers=headers, body=body, length=source.choice(("", None)))


_DAMAGES = (_method, _path, _query, _headers, _headers, _body, _body, _body, _framing)
