"""Whose programs the API serves: the owner's, known by a connection or by a signature."""

from __future__ import annotations

import ctypes
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qsl, urlsplit
from urllib.request import urlopen

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from pipelines.backends.local.api import on_demand, peers, presence, running
from pipelines.backends.local.api.admission import Admission, choose_admission
from pipelines.backends.local.api.messages import HttpRequest
from pipelines.backends.local.api.signatures import Signatures
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import ApiCredentials, LocalApi, LocalSettings
from pipelines.errors import UsageError
from tests.local.api.conftest import Served
from tests.local.jobs.conftest import ROOT, ordinary_python

STRANGER = 65534
LOOKUPS = [peers.from_kernel, peers.from_table]


@contextmanager
def another_user() -> Iterator[None]:
    """Let sockets of this thread belong to another user."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can make sockets of another user")
    libc = ctypes.CDLL(None)
    libc.setfsuid(STRANGER)
    try:
        yield
    finally:
        libc.setfsuid(0)


def ask(place: tuple[str, int], request: bytes, *, stranger: bool = False) -> bytes:
    """Send bytes and return the response."""
    with another_user() if stranger else nullcontext():
        connection = socket.socket()
    with connection:
        connection.settimeout(10)
        connection.connect(place)
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def place_of(url: str) -> tuple[str, int]:
    """Return host and port of a URL."""
    parts = urlsplit(url)
    return str(parts.hostname), int(parts.port or 0)


def test_another_user_is_refused_with_a_sentence(served: Served) -> None:
    """Whatever is requested; nothing of the request is read."""
    place = place_of(served.url)
    request = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{place[1]}\r\nConnection: close\r\n\r\n".encode()
    assert ask(place, request).startswith(b"HTTP/1.1 200 OK\r\n")
    head, _, body = ask(place, request, stranger=True).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert body == b"this local SageMaker serves only the user who started it (user id 0)\n"


def test_a_program_of_another_user_is_refused(served: Served) -> None:
    """A process of its own, as on a shared machine."""
    code = f"import urllib.request; urllib.request.urlopen({served.url!r})"
    ended = subprocess.run([*ordinary_python(), "-c", code], capture_output=True, check=False)
    assert b"HTTP Error 403: Forbidden" in ended.stderr


def test_another_user_is_refused_before_the_server_of_a_run_starts(tmp_path: Path) -> None:
    """The API of a plain `run` listens as well."""
    settings = LocalSettings(tmp_path / ".pipelines", Path(sys.executable))
    with LocalSageMaker(settings) as sagemaker, on_demand(sagemaker) as api:
        said = ask(place_of(api.url), b"GET / HTTP/1.1\r\n\r\n", stranger=True)
        assert b"403 Forbidden" in said


@pytest.mark.allow_hosts(["127.0.0.1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("lookup", LOOKUPS)
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_the_user_of_a_connection_is_known(
    lookup: peers.UserLookup, family: socket.AddressFamily
) -> None:
    """Also of one that was made with an IPv6 socket."""
    place = "127.0.0.1" if family == socket.AF_INET else "::ffff:127.0.0.1"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = listener.getsockname()
        with another_user():
            client = socket.socket(family)
        with client:
            client.connect((place, server[1]))
            connection, address = listener.accept()
            with connection:
                assert lookup(address, server) == STRANGER


@pytest.mark.parametrize("lookup", LOOKUPS)
def test_a_closed_connection_belongs_to_nobody(lookup: peers.UserLookup) -> None:
    """The kernel shows it as root's: a client must not become root by closing early."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = listener.getsockname()
        with another_user():
            client = socket.create_connection(server)
            client.sendall(b"POST / HTTP/1.1\r\n")
            client.close()
        connection, address = listener.accept()
        assert lookup(address, server) is None
        connection.close()
        assert lookup(address, server) is None


@pytest.mark.parametrize("lookup", LOOKUPS)
def test_a_listening_socket_is_no_connection(lookup: peers.UserLookup) -> None:
    """One that listens where the client's socket was is another program's."""
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        assert lookup(one.getsockname(), other.getsockname()) is None


IN_NAMESPACE = f"""
import os, socket, sys
sys.path.insert(0, {str(ROOT)!r})
import importlib.util
spec = importlib.util.spec_from_file_location("peers", {peers.__file__!r})
peers = importlib.util.module_from_spec(spec); spec.loader.exec_module(peers)
from pipelines.backends.local.jobs.launcher import namespaces
with socket.create_server(("127.0.0.1", 0)) as listener:
    if os.fork() == 0:
        namespaces._unshare(namespaces.CLONE_NEWNS)
        client = socket.create_connection(listener.getsockname())
        client.recv(1)
        os._exit(0)
    connection, address = listener.accept()
    print([look(address, listener.getsockname()) for look in (peers.from_kernel, peers.from_table)])
    print(peers.working_lookup() is peers.from_kernel)
    connection.close()
"""


def test_a_job_in_a_user_namespace_is_its_owners() -> None:
    """An ordinary user's jobs have one; seen from outside they are still that user's."""
    words = [*ordinary_python(), "-c", IN_NAMESPACE]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    if "unshare" in ended.stderr:
        pytest.skip("this machine has no user namespaces")
    assert ended.stdout.splitlines() == [f"[{STRANGER}, {STRANGER}]", "True"], ended.stderr


def test_callers_sign_where_the_system_does_not_know_users() -> None:
    """Or where the settings require it."""
    unknown = choose_admission("auto", lambda: None)
    asked = choose_admission("signature", lambda: peers.from_kernel)
    for admission in (unknown, asked):
        assert admission.lookup is None
        assert len(admission.credentials.secret_key) > 40
    assert unknown.credentials != asked.credentials
    known = choose_admission("auto", lambda: peers.from_kernel)
    assert known == Admission(peers.from_kernel, ApiCredentials("local", "local"))
    with pytest.raises(UsageError, match="does not say which user"):
        choose_admission("user", lambda: None)


@dataclass(frozen=True)
class Signed:
    """A local SageMaker whose callers sign their requests."""

    sagemaker: LocalSageMaker
    api: LocalApi

    def client(self, service: str, secret: str | None = None) -> Any:
        """Make a boto3 client as a user makes one."""
        client: Any = boto3.client
        key = self.api.credentials
        return client(
            service,
            region_name="us-east-1",
            endpoint_url=self.api.url,
            aws_access_key_id=key.access_key,
            aws_secret_access_key=secret or key.secret_key,
            config=Config(
                retries={"max_attempts": 1},
                signature_version="s3v4" if service == "s3" else None,
                s3={"addressing_style": "path"},
            ),
        )


@pytest.fixture
def signed(tmp_path: Path) -> Iterator[Signed]:
    """Serve an empty local SageMaker to those who sign."""
    home = tmp_path / ".pipelines"
    settings = LocalSettings(home, Path(sys.executable), callers="signature")
    with LocalSageMaker(settings) as sagemaker, running(sagemaker) as api:
        yield Signed(sagemaker, api)


def used(s3: Any) -> object:
    """Write, copy, list and read an object with a difficult key."""
    key = "a b/ä+&=%.txt"
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key=key, Body=b"x" * 10)
    s3.copy_object(Bucket="bucket", Key="copy", CopySource={"Bucket": "bucket", "Key": key})
    assert s3.get_object(Bucket="bucket", Key=key, Range="bytes=1-2")["Body"].read() == b"xx"
    listed = s3.list_objects_v2(Bucket="bucket", Prefix="a b/")["Contents"]
    s3.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": "copy"}]})
    return [entry["Key"] for entry in listed]


CALLS: list[tuple[str, Callable[[Any], object], object]] = [
    ("sagemaker", lambda client: client.list_models()["Models"], []),
    ("sts", lambda client: client.get_caller_identity()["Account"], "000000000000"),
    ("iam", lambda client: client.get_role(RoleName="x")["Role"]["RoleName"], "x"),
    ("logs", lambda client: client.describe_log_streams(logGroupName="g")["logStreams"], []),
    ("s3", used, ["a b/ä+&=%.txt"]),
]


@pytest.mark.parametrize(("service", "call", "result"), CALLS)
def test_what_boto3_signs_is_served(
    signed: Signed, service: str, call: Callable[[Any], object], result: object
) -> None:
    """Of every service; with another secret, nothing is."""
    assert call(signed.client(service)) == result
    with pytest.raises(ClientError) as caught:
        call(signed.client(service, "another secret"))
    error = caught.value.response["Error"]
    assert error["Code"] == "AccessDenied"
    assert "AWS_SECRET_ACCESS_KEY as `pipelines serve` prints them" in error["Message"]


def test_an_invocation_is_signed_too(signed: Signed) -> None:
    """Over its body; the endpoint is asked only then."""
    runtime = signed.client("sagemaker-runtime")
    with pytest.raises(ClientError, match=r"ValidationError.*Endpoint e of account"):
        runtime.invoke_endpoint(EndpointName="e", Body=b"1,2")
    with pytest.raises(ClientError, match=r"AccessDenied"):
        signed.client("sagemaker-runtime", "wrong").invoke_endpoint(EndpointName="e", Body=b"1,2")


@pytest.mark.parametrize("path", ["/", "/bucket/key", "/endpoints/e/invocations"])
def test_what_is_not_signed_is_refused(signed: Signed, path: str) -> None:
    """By curl or a browser."""
    with pytest.raises(HTTPError, match="403"):
        urlopen(signed.api.url + path)  # noqa: S310 - of this machine


def test_a_presigned_url_is_served_until_it_expires(signed: Signed) -> None:
    """A browser can open it."""
    s3 = signed.client("s3")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="a/b", Body=b"hello")
    request = {"Bucket": "bucket", "Key": "a/b"}
    url = s3.generate_presigned_url("get_object", request, ExpiresIn=60)
    assert urlopen(url).read() == b"hello"  # noqa: S310 - of this machine
    with pytest.raises(HTTPError, match="403"):
        urlopen(url.replace("Expires=60", "Expires=600"))  # noqa: S310 - of this machine


def test_curl_signs_as_serve_prints_it(signed: Signed) -> None:
    """`--aws-sigv4`, for an endpoint's invocations."""
    key = signed.api.credentials
    words = ["curl", "-s", "--aws-sigv4", "aws:amz:us-east-1:sagemaker"]
    user = ["--user", f"{key.access_key}:{key.secret_key}", "-H", "Content-Type: text/csv"]
    url = f"{signed.api.url}/endpoints/e/invocations"
    try:
        ended = subprocess.run([*words, *user, "-d", "1,2", url], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no curl here")
    assert b"Endpoint e of account 000000000000 not found" in ended.stdout


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(-1000, "RequestTimeTooSkewed"), (0, None), (59, None), (61, "RequestTimeTooSkewed")],
)
def test_an_old_signature_is_refused(signed: Signed, seconds: int, code: str | None) -> None:
    """Whoever finds a URL in a log cannot use it a day later."""
    request = {"Bucket": "bucket", "Key": "a/b"}
    url = signed.client("s3").generate_presigned_url("get_object", request, ExpiresIn=60)
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    moment = datetime.strptime(query["X-Amz-Date"] + "+0000", "%Y%m%dT%H%M%SZ%z")
    signatures = Signatures(signed.api.credentials, lambda: moment + timedelta(seconds=seconds))
    refusal = signatures.refusal(HttpRequest("GET", parts.path, query, {"host": parts.netloc}))
    assert (refusal and refusal.code) == code


def test_other_commands_find_the_key_of_a_running_serve(tmp_path: Path) -> None:
    """In a folder that only the owner can read."""
    api = LocalApi("http://127.0.0.1:1", ApiCredentials("KEY", "secret"))
    home = tmp_path / ".pipelines"
    with presence.announce(home, api):
        assert presence.find(home) == api
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert presence.find(home) is None
