"""S3 over HTTP: the same calls to moto's S3 and to ours give the same answers."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.local.api.conftest import Served

MEGABYTE = 1 << 20
KEYS = ["a-b", "a/b/c.txt", "a/b/d", "a/ä ö+&=%.txt", "ab", "b/1", "b/2", "b/3", "c"]
SHOWN = (
    "AcceptRanges",
    "CommonPrefixes",
    "ContentLength",
    "ContentRange",
    "ContentType",
    "Contents",
    "Deleted",
    "Delimiter",
    "ETag",
    "IsTruncated",
    "KeyCount",
    "MaxKeys",
    "Metadata",
    "Name",
    "Parts",
    "Prefix",
)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """Start moto's server."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - takes two seconds

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def client_of(url: str) -> Any:
    """Make an S3 client."""
    make: Any = boto3.client
    return make(
        "s3",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
    )


@dataclass(frozen=True)
class Both:
    """Our S3 and moto's, each with an empty bucket."""

    ours: Any
    theirs: Any

    def agree(self, operation: str, **request: Any) -> Any:
        """Make a call in both, which must say the same; return what they say."""
        request = {"Bucket": "bucket", **request}
        ours, theirs = (said(one, operation, request) for one in (self.ours, self.theirs))
        assert ours == theirs, (operation, request)
        return ours


@pytest.fixture
def both(served: Served, moto: str) -> Both:
    """Return the two, emptied."""
    clients = [client_of(served.url), client_of(moto)]
    for client in clients:
        for bucket in client.list_buckets()["Buckets"]:
            for one in client.list_objects_v2(Bucket=bucket["Name"]).get("Contents", ()):
                client.delete_object(Bucket=bucket["Name"], Key=one["Key"])
            client.delete_bucket(Bucket=bucket["Name"])
        client.create_bucket(Bucket="bucket")
    return Both(*clients)


def said(client: Any, operation: str, request: dict[str, Any]) -> Any:
    """Make a call; return what an answer says, without times and identifiers, or its error."""
    try:
        answer = getattr(client, operation)(**request)
    except ClientError as error:
        response = error.response
        return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]
    shown = {name: value for name, value in answer.items() if name in SHOWN}
    if "Body" in answer:
        shown["Body"] = hashlib.sha256(answer["Body"].read()).hexdigest()
    for listed in shown.get("Contents", ()):
        for name in set(listed) - {"Key", "Size", "ETag"}:
            del listed[name]
    for part in shown.get("Parts", ()):
        part.pop("LastModified", None)
    return shown


def test_objects_are_written_read_and_deleted_as_in_moto(
    both: Both,
) -> None:
    """Bodies, ranges, types, user metadata, conditions, copies, what is not there."""
    for key in KEYS:
        both.agree("put_object", Key=key, Body=key.encode(), Metadata={"of": "me"})
    both.agree("put_object", Key="typed", Body=b"x,y", ContentType="text/csv")
    both.agree("put_object", Key="large", Body=b"0123456789" * 100_000)
    for key in (*KEYS, "typed", "large", "missing"):
        both.agree("head_object", Key=key)
        both.agree("get_object", Key=key)
    for span in ("bytes=0-4", "bytes=5-", "bytes=-3", "bytes=9-99999999", "bytes=99999999-"):
        both.agree("get_object", Key="large", Range=span)
    tag = both.agree("head_object", Key="typed")["ETag"]
    for condition in ({"IfMatch": tag}, {"IfMatch": '"no"'}, {"IfNoneMatch": tag}):
        both.agree("get_object", Key="typed", **condition)
    both.agree("copy_object", Key="copy", CopySource="bucket/typed")
    both.agree("copy_object", Key="copy2", CopySource={"Bucket": "bucket", "Key": KEYS[3]})
    both.agree("copy_object", Key="copy3", CopySource="bucket/missing")
    for key in ("copy", "copy2"):
        assert both.agree("get_object", Key=key)["Body"]
    both.agree("delete_object", Key="copy")
    both.agree("delete_object", Key="copy")
    both.agree("get_object", Key="copy")
    objects = [{"Key": "copy2"}, {"Key": "missing"}]
    both.agree("delete_objects", Delete={"Objects": objects})
    both.agree("delete_bucket")


@pytest.mark.parametrize("operation", ["list_objects_v2", "list_objects"])
def test_keys_are_listed_as_in_moto(both: Both, operation: str) -> None:
    """Prefixes that end within a name, delimiters, pages, keys that need escaping."""
    for key in KEYS:
        both.agree("put_object", Key=key, Body=b"x")
    for prefix in ("", "a", "a/", "a/b", "a/b/", "b/", "z", "/"):
        for delimiter in ({}, {"Delimiter": "/"}, {"Delimiter": "b"}):
            both.agree(operation, Prefix=prefix, **delimiter)
    both.agree(operation, Prefix="", MaxKeys=2)
    both.agree(operation, Prefix="", MaxKeys=0)
    whole = both.agree(operation, Prefix="")["Contents"]
    assert {one["Key"] for one in whole} == set(KEYS)


@pytest.mark.parametrize("request_", [{}, {"Delimiter": "/"}, {"Prefix": "a"}])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_follow_each_other(both: Both, request_: dict[str, str], size: int) -> None:
    """However small they are, a stock paginator gives what one page does."""
    for key in KEYS:
        both.agree("put_object", Key=key, Body=b"x")

    def listed(client: Any, operation: str, most: int) -> list[str]:
        pages = client.get_paginator(operation).paginate(
            Bucket="bucket", PaginationConfig={"PageSize": most}, **request_
        )
        found = []
        for page in pages:
            found += [one["Key"] for one in page.get("Contents", ())]
            found += [one["Prefix"] for one in page.get("CommonPrefixes", ())]
        return sorted(found)

    wanted = listed(both.theirs, "list_objects_v2", 1000)
    for operation in ("list_objects_v2", "list_objects"):
        assert listed(both.ours, operation, size) == wanted


def test_a_large_object_comes_in_parts(both: Both) -> None:
    """Multipart uploads: parts listed, completed, aborted, and what is wrong with them."""
    bodies = [b"a" * 5 * MEGABYTE, b"b" * 5 * MEGABYTE, b"c"]
    for client in (both.ours, both.theirs):
        upload: dict[str, str] = {"Bucket": "bucket", "Key": "k"}
        made = client.create_multipart_upload(ContentType="text/x", **upload)
        upload["UploadId"] = made["UploadId"]
        sent = [
            {"PartNumber": n, "ETag": client.upload_part(PartNumber=n, Body=body, **upload)["ETag"]}
            for n, body in enumerate(bodies, 1)
        ]
        listed = client.list_parts(**upload)["Parts"]
        assert [one["Size"] for one in listed] == [len(body) for body in bodies]
        wrong = {"Parts": [{"PartNumber": 1, "ETag": '"0"'}]}
        with pytest.raises(ClientError, match="InvalidPart"):
            client.complete_multipart_upload(MultipartUpload=wrong, **upload)
        client.complete_multipart_upload(MultipartUpload={"Parts": sent}, **upload)
        other = client.create_multipart_upload(Bucket="bucket", Key="gone")
        known = {"Bucket": "bucket", "Key": "gone", "UploadId": other["UploadId"]}
        client.abort_multipart_upload(**known)
        with pytest.raises(ClientError, match="NoSuchUpload"):
            client.list_parts(**known)
    answers = [
        said(one, "get_object", {"Bucket": "bucket", "Key": "k"})
        for one in (both.ours, both.theirs)
    ]
    for one in answers:
        del one["ETag"]  # ours says what is in the file, whatever the parts were
    assert answers[0] == answers[1]


def test_large_files_go_both_ways(served: Served, tmp_path: Path) -> None:
    """boto3's own transfer, in parts and threads; the object store sees one plain file."""
    file, back = tmp_path / "file", tmp_path / "back"
    file.write_bytes(os.urandom(20 * MEGABYTE))
    client = client_of(served.url)
    client.create_bucket(Bucket="bucket")
    client.upload_file(str(file), "bucket", "folder/file")
    client.download_file("bucket", "folder/file", str(back))
    assert back.read_bytes() == file.read_bytes()
    stored = served.sagemaker.settings.home / "s3" / "bucket" / "folder" / "file"
    assert stored.read_bytes() == file.read_bytes()


def test_what_is_not_had_is_refused_by_name(served: Served) -> None:
    """Never taken for the object itself."""
    client = client_of(served.url)
    client.create_bucket(Bucket="bucket")
    client.put_object(Bucket="bucket", Key="k", Body=b"x")
    tags = {"TagSet": [{"Key": "a", "Value": "b"}]}
    with pytest.raises(ClientError, match="NotImplemented"):
        client.put_object_tagging(Bucket="bucket", Key="k", Tagging=tags)
    with pytest.raises(ClientError, match="NotImplemented"):
        client.get_object_acl(Bucket="bucket", Key="k")
    with pytest.raises(ClientError, match="NotImplemented"):
        client.put_bucket_policy(Bucket="bucket", Policy="{}")
    assert client.get_object(Bucket="bucket", Key="k")["Body"].read() == b"x"


SANDBOX = "sandbox; default-src 'none'; img-src 'self' data:; style-src 'self' 'unsafe-inline'"


def test_a_browser_runs_nothing_that_an_object_holds(served: Served) -> None:
    """Whatever it is said to be: pages with values of the data are objects, too."""
    s3 = served.client("s3")
    s3.create_bucket(Bucket="bucket")
    page = b"<img src=x onerror=alert(1)>"
    s3.put_object(Bucket="bucket", Key="page.html", Body=page, ContentType="text/html")
    for response in (
        s3.get_object(Bucket="bucket", Key="page.html", ResponseContentType="image/svg+xml"),
        s3.list_buckets(),
        served.client("sagemaker").list_models(),
    ):
        headers = response["ResponseMetadata"]["HTTPHeaders"]
        assert headers["content-security-policy"] == SANDBOX
        assert headers["x-content-type-options"] == "nosniff"


def test_a_request_sets_the_six_headers_that_s3_lets_it_set(served: Served) -> None:
    """No others: a link could otherwise set a cookie, or replace the policy."""
    s3 = served.client("s3")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="k", Body=b"x")
    names = ["cache-control", "content-disposition", "content-encoding", "content-language"]
    names += ["content-type", "expires", "set-cookie", "content-security-policy", "location"]
    query = "&".join(f"response-{name}=of-the-request" for name in names)
    with urlopen(f"{served.url}/bucket/k?{query}") as response:  # noqa: S310 - of this machine
        found = [name for name in names if response.headers[name] == "of-the-request"]
    assert found == names[:6]
