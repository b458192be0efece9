"""botocore's description of a service: what a request and a response may hold."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.model import ServiceModel


@cache
def service_model(service: str) -> ServiceModel:
    """Load the model of a service, named as boto3's clients are; read once."""
    from botocore import loaders, model  # noqa: PLC0415 - costs a tenth of a second

    description = loaders.Loader().load_service_model(service, "service-2")
    return model.ServiceModel(description, service)
