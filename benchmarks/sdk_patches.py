"""Patches that let SageMaker SDK v3 run against a local server.

Both are in its favour: they remove calls.
"""

from __future__ import annotations

from typing import Any

import boto3.session

_MAKE_CLIENT: Any = boto3.session.Session.client


def _client(self: Any, service: str, *args: Any, **kwargs: Any) -> Any:
    """Make a client without an endpoint of its own: the SDK sets STS's public one."""
    kwargs.pop("endpoint_url", None)
    return _MAKE_CLIENT(self, service, *args, **kwargs)


def stay_with_the_server() -> None:
    """Make every client call the server behind AWS_ENDPOINT_URL."""
    boto3.session.Session.client = _client  # type: ignore[method-assign, assignment]  # a patch


def spare_the_role() -> None:
    """Skip the check of the role, which calls IAM."""
    import sagemaker.mlops.workflow.pipeline  # noqa: PLC0415 - moto has to be started before
    import sagemaker.train.defaults  # noqa: PLC0415 - as above

    for module in (sagemaker.train.defaults, sagemaker.mlops.workflow.pipeline):
        module.resolve_and_validate_role = lambda provided_role=None, **_: provided_role
