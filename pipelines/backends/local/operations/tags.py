"""Tags of every resource."""

from __future__ import annotations

from pipelines.backends.local.errors import invalid
from pipelines.backends.local.operations.context import OperationContext
from pipelines.backends.local.operations.operation import operation
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject


@frozen
class TagOperations:
    """AddTags, DeleteTags and ListTags."""

    context: OperationContext

    @operation("AddTags")
    def add_tags(self, **request: Json) -> JsonObject:
        """Add tags to a resource, replacing those of the same key; return all its tags.

        Raises:
            ServiceError: ValidationException: there is no such resource, or it is a version of a
                group, which has the tags of its group (FACTS 6).
        """
        arn, state = request["ResourceArn"], self.context.state
        with state.transaction():
            self._require(arn)
            package = state.packages.find(arn)
            if package is not None and package.group is not None:
                raise invalid(f"{arn} is a version of a group, which has no tags; tag the group")
            state.tags.add(arn, request["Tags"])
        return {"Tags": state.tags.of(arn)}

    @operation("DeleteTags")
    def delete_tags(self, **request: Json) -> JsonObject:
        """Delete the tags with the given keys."""
        with self.context.state.transaction():
            self._require(request["ResourceArn"])
            self.context.state.tags.remove(request["ResourceArn"], request["TagKeys"])
        return {}

    @operation("ListTags")
    def list_tags(self, **request: Json) -> JsonObject:
        """List the tags of a resource; there is never more than one page."""
        self._require(request["ResourceArn"])
        return {"Tags": self.context.state.tags.of(request["ResourceArn"])}

    def _require(self, arn: str) -> None:
        if not self.context.state.tags.has_resource(arn):
            raise invalid(f"Resource {arn} does not exist.")
