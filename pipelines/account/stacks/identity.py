"""The identity provider of a repository's host: an account has one for each, whoever made it.

Where it is there already, the stack must not make it; where it is not and the stack does not make
it either, no job could take on a role. Both are known before anything changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pipelines.account.account import Account
from pipelines.account.stacks.change_set import StackTemplate
from pipelines.account.stacks.deployed import Deployed
from pipelines.errors import UsageError
from pipelines.execution.caller import CallRefusedError
from pipelines.json_types import JsonObject

_TYPE: Final = "AWS::IAM::OIDCProvider"
_YES: Final = "true"
_NO: Final = "false"


def provider_parameter(
    account: Account,
    template: StackTemplate,
    deployed: Deployed,
    given: Mapping[str, str],
    name: str,
) -> tuple[dict[str, str], str | None]:
    """Return the value that the account demands of the parameter, and what to say of it.

    Args:
        account: where.
        template: what the stack has to be.
        deployed: what it is.
        given: values of parameters that somebody gives, by name.
        name: the parameter by which the stack makes the provider.

    Raises:
        UsageError: the stack would make a second one, or none; the one that is there does not let
            jobs in.
    """
    resources = template.document.get("Resources", {})
    made = {logical: one for logical, one in resources.items() if one["Type"] == _TYPE}
    if not made:
        return {}, None
    ((logical, resource),) = made.items()
    url = str(resource["Properties"]["Url"])
    arn = _arn(account, url)
    found = _described(account, arn)
    chosen = given.get(name) or deployed.chosen().get(name)
    if logical in deployed.resources:
        return {}, None
    if found is None:
        if chosen == _NO:
            raise UsageError(
                f"the account has no identity provider for {url}, and the stack is to make none",
                f"add --parameter {name}={_YES}",
            )
        return {}, None
    if given.get(name) == _YES:
        raise UsageError(
            f"the account has an identity provider for {url} already, and can have one only",
            f"remove --parameter {name}={_YES}: the roles trust the one that is there",
        )
    _require_audience(arn, found, resource["Properties"]["ClientIdList"])
    said = None if chosen == _NO else f"{name}={_NO}: the account has one for {url} already"
    return {name: _NO}, said


def _arn(account: Account, url: str) -> str:
    host = url.removeprefix("https://")
    return f"arn:{account.partition}:iam::{account.account_id()}:oidc-provider/{host}"


def _described(account: Account, arn: str) -> JsonObject | None:
    try:
        return account.call("iam", "get_open_id_connect_provider", OpenIDConnectProviderArn=arn)
    except CallRefusedError as error:
        if error.is_missing:
            return None
        raise


def _require_audience(arn: str, found: JsonObject, wanted: list[str]) -> None:
    for audience in wanted:
        if audience not in found.get("ClientIDList", []):
            raise UsageError(
                f"the identity provider {arn} does not accept tokens for {audience}",
                "add it with `aws iam add-client-id-to-open-id-connect-provider"
                f" --open-id-connect-provider-arn {arn} --client-id {audience}`",
            )
