"""CloudWatch's alarms, as far as scaling policies have some: each is kept with its policy."""

from __future__ import annotations

from collections.abc import Callable

from pipelines.backends.local.errors import invalid
from pipelines.backends.local.operations.autoscaling import keep_policies, policies
from pipelines.backends.local.operations.context import OperationContext
from pipelines.backends.local.operations.operation import operation
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject


@frozen
class AlarmOperations:
    """The operations on alarms. None of them ever rings: there are no metrics here."""

    context: OperationContext

    @operation("PutMetricAlarm", "cloudwatch")
    def put_metric_alarm(self, **request: Json) -> JsonObject:
        """Keep an alarm that sets off a policy; there are no others here.

        Raises:
            ServiceError: it sets off something else, or nothing.
        """
        name, actions = request["AlarmName"], request.get("AlarmActions") or []
        account = f"{self.context.settings.region}:{self.context.settings.account}"
        alarm = {"AlarmName": name, "AlarmARN": f"arn:aws:cloudwatch:{account}:alarm:{name}"}
        if not any(policy["PolicyARN"] in actions for _, _, policy in policies(self.context)):
            message = f"here alarms set off scaling policies, and {name} sets off none"
            raise invalid(message, "use an account for others")
        self._change(lambda arn, alarms: [*alarms, alarm] if arn in actions else alarms, {name})
        return {}

    @operation("DeleteAlarms", "cloudwatch")
    def delete_alarms(self, **request: Json) -> JsonObject:
        """Forget alarms; those that are not there are no error."""
        self._change(lambda _arn, alarms: alarms, set(request["AlarmNames"]))
        return {}

    def _change(
        self, changed: Callable[[str, list[JsonObject]], list[JsonObject]], gone: set[str]
    ) -> None:
        """Change the alarms of all policies, after those of some names are gone."""
        for endpoint, key, policy in list(policies(self.context)):
            left = [one for one in policy["Alarms"] if one["AlarmName"] not in gone]
            alarms = changed(policy["PolicyARN"], left)
            current = self.context.state.endpoints.find(endpoint.name)
            if alarms != policy["Alarms"] and current is not None:
                kept = {policy["PolicyName"]: {**policy, "Alarms": alarms}}
                keep_policies(
                    self.context, current, key, {**current.scaling[key]["Policies"], **kept}
                )
