"""Models: kept as they were created; Transform and endpoints read them."""

from __future__ import annotations

from pipelines.backends.local.errors import invalid
from pipelines.backends.local.operations.context import OperationContext
from pipelines.backends.local.operations.operation import operation
from pipelines.backends.local.operations.requests import (
    all_but,
    moment,
    page_named,
)
from pipelines.backends.local.operations.type_rules import check_rules
from pipelines.backends.local.state.resources import NamedRecord
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes.model import STEP_TYPE


@frozen
class ModelOperations:
    """CreateModel, DescribeModel, ListModels and DeleteModel."""

    context: OperationContext

    @operation("CreateModel")
    def create_model(self, **request: Json) -> JsonObject:
        """Create a model; one of a package needs the package's approval."""
        name = request["ModelName"]
        arn = self.context.arn(f"model/{name}")
        if request.get("Containers") and request.get("PrimaryContainer"):
            raise invalid("the model has both PrimaryContainer and Containers", "remove one")
        containers = request.get("Containers") or [request.get("PrimaryContainer")]
        if containers == [None]:
            raise invalid("the model has neither PrimaryContainer nor Containers")
        check_rules(STEP_TYPE, request)
        record = NamedRecord(name, arn, all_but(request, "ModelName", "Tags"), self.context.now())
        with self.context.state.transaction():
            if not self.context.state.models.add(record, request.get("Tags") or []):
                raise invalid(f'Cannot create already existing model "{arn}".')
            for container in containers:
                if container.get("ModelPackageName") is not None:
                    self._require_approved(container["ModelPackageName"])
        return {"ModelArn": arn}

    @operation("DescribeModel")
    def describe_model(self, **request: Json) -> JsonObject:
        """Return a model as it was created."""
        model = self._require(request["ModelName"])
        return {**_summary(model), **model.content}

    @operation("ListModels")
    def list_models(self, **request: Json) -> JsonObject:
        """List models, the newest first."""
        models, token = page_named(self.context.state.models.all(), request, "Descending")
        return {"Models": [_summary(model) for model in models], **token}

    @operation("DeleteModel")
    def delete_model(self, **request: Json) -> JsonObject:
        """Delete a model."""
        self.context.state.models.remove(self._require(request["ModelName"]))
        return {}

    def _require(self, name: str) -> NamedRecord:
        model = self.context.state.models.find(name)
        if model is None:
            raise invalid(f'Could not find model "{self.context.arn(f"model/{name}")}".')
        return model

    def _require_approved(self, arn: str) -> None:
        package = self.context.state.packages.find(arn)
        if package is None:
            raise invalid(f"ModelPackage {arn} does not exist.", "name it by its ARN")
        status = package.content.get("ModelApprovalStatus", "Approved")
        if status != "Approved":
            raise invalid(
                f"Cannot create Model from ModelPackage {arn} with approval status {status}.",
                "approve it first",
            )


def _summary(model: NamedRecord) -> JsonObject:
    return {
        "ModelName": model.name,
        "ModelArn": model.arn,
        "CreationTime": moment(model.created),
    }
