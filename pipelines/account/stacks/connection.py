"""A connection to a repository's host: made pending, confirmed once by a person in the console."""

from __future__ import annotations

from typing import Final

from pipelines.account.account import Account

_CONSOLES: Final = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


def pending_step(account: Account, arn: str) -> str | None:
    """Return what is left to do at a connection; None where it is available."""
    found = account.call("codeconnections", "get_connection", ConnectionArn=arn)["Connection"]
    status, name = found["ConnectionStatus"], found.get("ConnectionName", arn)
    if status == "AVAILABLE":
        return None
    console = _CONSOLES.get(account.partition, _CONSOLES["aws"])
    url = f"https://{account.region}.{console}/codesuite/settings/connections"
    if status == "PENDING":
        step = f"open {url}, select it, and choose Update pending connection"
    else:
        step = f"replace it in {url}, then name the new one with `ci init --connection ARN`"
    return f"the connection {name} is {status}, so no push starts anything: {step}"
