"""What SageMaker SDK v3 must not do when it is measured against a server of ours.

Both patches are in its favour: they take calls away.
"""

from __future__ import annotations

from typing import Any

import boto3.session

_MAKE_CLIENT: Any = boto3.session.Session.client


def _client(self: Any, service: str, *args: Any, **kwargs: Any) -> Any:
    """Make a client without an address of its own: the SDK writes STS's public one into it."""
    kwargs.pop("endpoint_url", None)
    return _MAKE_CLIENT(self, service, *args, **kwargs)


def stay_with_the_server() -> None:
    """Let every client call the server behind AWS_ENDPOINT_URL."""
    boto3.session.Session.client = _client  # type: ignore[method-assign, assignment]  # a patch


def spare_the_role() -> None:
    """Leave out the check of the role, which asks IAM."""
    import sagemaker.mlops.workflow.pipeline  # noqa: PLC0415 - moto has to be started before
    import sagemaker.train.defaults  # noqa: PLC0415 - as above

    for module in (sagemaker.train.defaults, sagemaker.mlops.workflow.pipeline):
        module.resolve_and_validate_role = lambda provided_role=None, **_: provided_role
