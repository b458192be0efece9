"""The identity provider of a repository's host: an account has one for each, whoever made it.

Where it is there already, the stack must not make it; where it is not and the stack does not make
it either, no job could take on a role. Both are known before anything changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pipelines.account.account import Account
from pipelines.account.stacks.deployed import Deployed
from pipelines.account.stacks.stack_template import StackTemplate
from pipelines.errors import UsageError
from pipelines.execution.caller import CallRefusedError
from pipelines.json_types import JsonObject

_TYPE: Final = "AWS::IAM::OIDCProvider"
_ID: Final = "IdentityProvider"
_YES: Final = "true"
_NO: Final = "false"


def provider_parameters(
    account: Account,
    template: StackTemplate,
    deployed: Deployed,
    given: Mapping[str, str],
    prefix: str,
) -> tuple[dict[str, str], list[str]]:
    """Return the values that the account demands of parameters, and what to say of them.

    Args:
        account: where.
        template: what the stack has to be.
        deployed: what it is.
        given: values of parameters that somebody gives, by name.
        prefix: what the parameters by which the stack makes a provider begin with; what the
            provider's own id ends with follows.

    Raises:
        UsageError: the stack would make a second one, or none; the one that is there does not let
            jobs in.
    """
    values: dict[str, str] = {}
    said: list[str] = []
    for logical, resource in template.document.get("Resources", {}).items():
        if resource["Type"] != _TYPE or logical in deployed.resources:
            continue
        name = f"{prefix}{logical.removeprefix(_ID)}"
        chosen = given.get(name) or deployed.chosen().get(name)
        if not _is_there(account, resource["Properties"], name, chosen):
            continue
        if given.get(name) == _YES:
            raise UsageError(
                f"the account has an identity provider for {resource['Properties']['Url']}"
                " already, and can have one only",
                f"remove --parameter {name}={_YES}: the roles trust the one that is there",
            )
        values[name] = _NO
        if chosen != _NO:
            url = resource["Properties"]["Url"]
            said.append(f"{name}={_NO}: the account has one for {url} already")
    return values, said


def _is_there(account: Account, wanted: JsonObject, name: str, chosen: str | None) -> bool:
    """Return whether the account has a provider that lets jobs in.

    Raises:
        UsageError: it has none and gets none, or one that does not.
    """
    url = str(wanted["Url"])
    arn = _arn(account, url)
    found = _described(account, arn)
    if found is not None:
        _require_audience(arn, found, wanted["ClientIdList"])
        return True
    if chosen == _NO:
        raise UsageError(
            f"the account has no identity provider for {url}, and the stack is to make none",
            f"add --parameter {name}={_YES}",
        )
    return False


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
