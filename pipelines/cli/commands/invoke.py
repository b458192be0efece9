"""`invoke`: one request to an endpoint."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import BinaryIO

import click

from pipelines.account.account import Account
from pipelines.cli.asynchronous import AsynchronousBody, ask_later, wait_for
from pipelines.cli.options import ChosenSpec, GivenPath, env_option, local_option
from pipelines.cli.printing import echo
from pipelines.cli.target import open_target
from pipelines.diagnostics.nearest import nearest
from pipelines.errors import UsageError
from pipelines.execution.caller import CallRefusedError
from pipelines.frozen import frozen
from pipelines.grammar.media_types import media_type as media_type_of

_COLD_START = "x-pipelines-cold-start-seconds"


@frozen
class InvokeRequest:
    """A request: its body, media type, the one that is wanted, and the model of several."""

    body: bytes
    content_type: str
    accept: str
    target_model: str | None = None


@frozen
class InvokeResponse:
    """The response; `cold_start` is the header in which the local SageMaker reports one."""

    body: bytes
    content_type: str
    variant: str
    cold_start: str | None

    @property
    def is_text(self) -> bool:
        """Whether a person can read it."""
        return self.content_type.startswith(("text/", "application/json"))


@click.command("invoke")
@click.option(
    "-f",
    "--spec",
    type=GivenPath(),
    default=Path("pipeline.yaml"),
    show_default=True,
    help="The spec file; its folder is the project.",
)
@env_option
@local_option
@click.option(
    "--file",
    "body",
    type=click.File("rb", lazy=True),  # one opened at once stays open where a later option is wrong
    required=True,
    help="The request's body; - is stdin.",
)
@click.option("--content-type", help="Its media type; by default that of the file's suffix.")
@click.option("--accept", default="application/json", show_default=True, help="What is wanted.")
@click.option(
    "--async",
    "later",
    is_flag=True,
    help="The endpoint is asynchronous: upload the body, and print where the answer will be.",
)
@click.option(
    "--wait",
    is_flag=True,
    help="With --async: wait until the answer is there, as always with --local.",
)
@click.option(
    "--version",
    metavar="GROUP/N",
    help="With --local, instead of an endpoint: a registered version, whatever its approval.",
)
@click.option(
    "--target-model",
    metavar="FILE",
    help="Of a multi-model endpoint: the archive below its prefix that answers.",
)
@click.argument("endpoint", required=False)
def COMMAND(  # noqa: N802, PLR0913, PLR0917 - found by this name; click gives one argument per option
    spec: Path,
    env: str | None,
    local: bool,  # noqa: FBT001 - click's flag
    body: BinaryIO,
    content_type: str | None,
    accept: str,
    later: bool,  # noqa: FBT001 - click's flag
    wait: bool,  # noqa: FBT001 - as above
    version: str | None,
    target_model: str | None,
    endpoint: str | None,
) -> None:
    """Send a request to an endpoint and print the answer; what it took goes to stderr."""
    if wait and not later:
        raise UsageError("--wait is for asynchronous endpoints", "add --async, or remove --wait")
    _require_endpoint_of_models(target_model, is_other=later or version is not None)
    if version is not None:
        _require_only_version(endpoint, local=local, later=later)
    media_type = content_type or media_type_of(body.name)
    request = InvokeRequest(body.read(), media_type, accept, target_model)
    if not request.body:
        raise UsageError(
            "the request has no body", "name a file that is not empty: --file REQUEST.json"
        )
    if version is not None:
        _ask_version(spec, version, request)
        return
    if endpoint is None:
        raise UsageError(
            "no endpoint is named", "name one: `pipelines endpoints` lists them; or add --version"
        )
    with open_target(ChosenSpec(spec, env), local) as target:
        began = time.monotonic()
        if later:
            suffix = Path(body.name).suffix
            content = AsynchronousBody(request.body, media_type, accept, suffix)
            _ask_later(target.account, endpoint, content, wait=wait or local)
            return
        try:
            answer = ask(target.account, endpoint, request)
        except CallRefusedError as error:
            _require_endpoint(target.account, endpoint, error)
            _require_at_once(target.account, endpoint)
            raise
        took = time.monotonic() - began
    _show_with_time(answer, took)


def _show_with_time(answer: InvokeResponse, took: float) -> None:
    _show(answer)
    cold = f", {float(answer.cold_start):.1f} s of it a cold start" if answer.cold_start else ""
    echo(f"{answer.variant} answered in {took:.2f} s{cold}", err=True)


def _require_endpoint_of_models(target_model: str | None, *, is_other: bool) -> None:
    if target_model is not None and is_other:
        message = "--target-model is for multi-model endpoints, which are asked at once"
        raise UsageError(message, "remove --target-model, or --async and --version")


def _require_only_version(endpoint: str | None, *, local: bool, later: bool) -> None:
    """Refuse what does not go with `--version`.

    Raises:
        UsageError: something does not.
    """
    if not local:
        raise UsageError(
            "`--version` starts a model server on this machine",
            "add --local; in an account, approve the version and invoke its endpoint",
        )
    if endpoint is not None:
        raise UsageError(
            f"`--version` asks a version, and `{endpoint}` is an endpoint", "name one of the two"
        )
    if later:
        raise UsageError("`--async` is for endpoints, `--version` has none", "remove --async")


def _ask_version(spec: Path, name: str, request: InvokeRequest) -> None:
    """Send a request to a version of the local registry, through a server of its own."""
    from pipelines.cli.version_server import ask_version  # noqa: PLC0415 - only for --version

    began = time.monotonic()
    shown_name, response = ask_version(
        spec, name, request.body, request.content_type, request.accept
    )
    cold = response.cold_start_seconds
    answer = InvokeResponse(
        response.body, response.content_type, shown_name, None if cold is None else str(cold)
    )
    _show_with_time(answer, time.monotonic() - began)


def _ask_later(account: Account, endpoint: str, body: AsynchronousBody, *, wait: bool) -> None:
    """Send an asynchronous request, and print where its answer is or will be."""
    began = time.monotonic()
    try:
        accepted = ask_later(account, endpoint, body)
    except CallRefusedError as error:
        _require_endpoint(account, endpoint, error)
        raise
    if wait:
        if accepted.failure is None:
            lacking = "the endpoint keeps no errors, as its deployment has no `failure_output`"
            echo(f"note: {lacking}: a request that fails gets no answer", err=True)
        wait_for(account, accepted)
        echo(f"answered in {time.monotonic() - began:.2f} s", err=True)
    echo(accepted.output)
    sys.stdout.flush()


def _show(answer: InvokeResponse) -> None:
    """Print a body: as it is for programs, what a person can read on a terminal."""
    if not sys.stdout.isatty():
        sys.stdout.buffer.write(answer.body)
        if answer.is_text and not answer.body.endswith(b"\n"):
            echo()
    elif answer.is_text:
        echo(answer.body.decode("utf-8", "replace").removesuffix("\n"))
    else:
        what = f"{len(answer.body)} bytes of {answer.content_type}"
        echo(f"{what} are not shown on a terminal: redirect the output to a file", err=True)
    sys.stdout.flush()


def _require_endpoint(account: Account, endpoint: str, error: CallRefusedError) -> None:
    """List the endpoints where the refused one is none of them.

    Raises:
        UsageError: it is not there.
    """
    missing = ("not found", "Could not find")
    if not any(text in error.problem for text in missing):
        return
    try:
        listed = list(account.pages("sagemaker", "list_endpoints", "Endpoints"))
    except CallRefusedError:
        return  # who may invoke need not be allowed to list
    names = [one["EndpointName"] for one in listed]
    if endpoint in names:
        return
    close = nearest(endpoint, names)
    there = f"did you mean `{close}`?" if close else f"endpoints: {', '.join(names)}"
    none = "there are none yet: approve a version of a group that a deployment step names"
    raise UsageError(f"there is no endpoint `{endpoint}`", there if names else none)


def _require_at_once(account: Account, endpoint: str) -> None:
    """Say how an asynchronous endpoint is asked, where the refused one is that.

    Raises:
        UsageError: it is one.
    """
    try:
        described = account.call("sagemaker", "describe_endpoint", EndpointName=endpoint)
    except CallRefusedError:
        return  # who may invoke need not be allowed to describe
    if described.get("AsyncInferenceConfig"):
        message = f"the endpoint {endpoint} is asynchronous: it answers into S3"
        raise UsageError(message, "add --async, and --wait to wait for the answer")


def ask(account: Account, endpoint: str, request: InvokeRequest) -> InvokeResponse:
    """Send a request.

    Raises:
        CallRefusedError: the endpoint is not there, or refused.
    """
    target = {} if request.target_model is None else {"TargetModel": request.target_model}
    with account.clients("sagemaker-runtime") as (runtime,):
        response = runtime.invoke_endpoint(
            EndpointName=endpoint,
            Body=request.body,
            ContentType=request.content_type,
            Accept=request.accept,
            **target,
        )
        headers = response["ResponseMetadata"]["HTTPHeaders"]
        variant = response.get("InvokedProductionVariant", "")
        body, content_type = response["Body"].read(), response.get("ContentType", "")
        return InvokeResponse(body, content_type, variant, headers.get(_COLD_START))
