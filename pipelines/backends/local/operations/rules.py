"""EventBridge's rules, as far as commands ask for them: which ones start a pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelines.backends.local.operations.operation import operation
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject


@frozen
class RuleOperations:
    """The operations on the rules that `serve --rules` has loaded.

    Args:
        rule_targets: the ARNs of the targets of each rule, by its name.
    """

    rule_targets: Mapping[str, Sequence[str]]

    @operation("ListRuleNamesByTarget", "events")
    def list_rule_names_by_target(self, **request: Json) -> JsonObject:
        """List the rules that hand events to a target."""
        arn = request["TargetArn"]
        names = [name for name, targets in self.rule_targets.items() if arn in targets]
        return {"RuleNames": sorted(names)}
