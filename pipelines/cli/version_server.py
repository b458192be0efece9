"""`invoke --local --version`: a registered version's response, with no endpoint and no approval."""

from __future__ import annotations

from pathlib import Path

from pipelines.backends.local.hosting.values import FleetError, Invocation, InvocationResponse
from pipelines.backends.local.hosting.version import invoke_version, log_of
from pipelines.backends.local.local_caller import LocalCaller
from pipelines.cli.project import require_project
from pipelines.cli.target import open_sagemaker
from pipelines.execution.caller import CallRefusedError
from pipelines.registry.packages import approval, named, version

_REFUSED = 400


def ask_version(
    file: Path, name: str, body: bytes, content_type: str, accept: str
) -> tuple[str, InvocationResponse]:
    """Start a model server for one request to a version, and end it.

    Args:
        file: the spec file; only its folder counts.
        name: the version, as `group/number`.
        body: the request.
        content_type: its media type.
        accept: the media type that is wanted.

    Returns:
        The version with its approval, and the response.

    Raises:
        UsageError: there is no such version.
        CallRefusedError: it did not respond, or responded with an error.
    """
    require_project(file)
    invocation = Invocation(body, content_type, accept)
    with open_sagemaker(file) as sagemaker:
        package = version(LocalCaller(sagemaker), name)
        arn = package["ModelPackageArn"]
        log = log_of(sagemaker.settings, arn)
        try:
            response = invoke_version(sagemaker.settings, sagemaker.objects, arn, invocation)
        except FleetError as error:
            message = f"{named(package)} did not respond: {error.reason}"
            raise CallRefusedError(message, f"see its log {log}", code="ModelError") from error
    if response.status >= _REFUSED:
        text = response.body.decode("utf-8", "replace").strip()
        message = f"{named(package)} responded with status {response.status}: {text}"
        raise CallRefusedError(message, f"see its log {log}", code="ModelError")
    return f"{named(package)} ({approval(package)})", response
