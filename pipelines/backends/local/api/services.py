"""The local SageMaker's operations, wired to the services that answer for them."""

from __future__ import annotations

from pipelines.backends.local.api import s3
from pipelines.backends.local.api.executing import Runner
from pipelines.backends.local.api.json_rpc import JsonService, Operation
from pipelines.backends.local.api.routes import Route, Routes
from pipelines.backends.local.api.runtime import Runtime
from pipelines.backends.local.api.sts import Query
from pipelines.backends.local.operations.logs import LogOperations
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.frozen import frozen


def routes(sagemaker: LocalSageMaker, runner: Runner | None) -> Routes:
    """Wire everything; `runner` runs executions that are started, None only records them."""
    store = s3.S3(sagemaker.objects, sagemaker.settings.region)
    return Routes(
        JsonService("sagemaker", _Operations(sagemaker, runner)),
        JsonService("logs", _Operations(LogOperations(sagemaker.settings.home), None)),
        Runtime(sagemaker.invoke_endpoint),
        Query(sagemaker.settings.account),
        Route(store.answer, s3.bug, s3.LONGEST, takes_files=True),
    )


@frozen
class _Operations:
    """Finds operations by name; the runner's go before the service's."""

    service: LocalSageMaker | LogOperations
    runner: Runner | None

    def __call__(self, name: str) -> Operation | None:
        """Find an operation of the service's model."""
        from botocore import xform_name  # noqa: PLC0415 - only where something is served

        method = xform_name(name)
        own: Operation | None = getattr(self.runner, method, None)
        operation: Operation | None = own or getattr(self.service, method, None)
        return operation
