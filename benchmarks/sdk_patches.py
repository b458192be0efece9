"""Patches that let SageMaker SDK v3 run against a local server.

All are in its favour: they remove calls.
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
    """Skip the checks of the role, which call IAM.

    ModelTrainer simulates its policies. moto's server fails on that, and the SDK would try again
    for seconds that it does not need in an account.
    """
    import sagemaker.mlops.workflow.pipeline  # noqa: PLC0415 - moto has to be started before
    import sagemaker.train.defaults  # noqa: PLC0415 - as above
    from sagemaker.train import ModelTrainer  # noqa: PLC0415 - as above

    for module in (sagemaker.train.defaults, sagemaker.mlops.workflow.pipeline):
        module.resolve_and_validate_role = lambda provided_role=None, **_: provided_role
    ModelTrainer._resolve_staging_bucket = _default_bucket  # noqa: SLF001 - a patch


def _default_bucket(trainer: Any) -> tuple[str, None]:
    """Return what ModelTrainer takes where the role may write to it."""
    return trainer.sagemaker_session.default_bucket(), None
