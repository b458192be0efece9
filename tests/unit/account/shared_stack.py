"""The stack that the accounts share, as CloudFormation describes it."""

from __future__ import annotations

from typing import Any

from pipelines.account.stacks.deployed import Deployed
from tests.unit.account.stubbed import ACCOUNT, REGION

CF = "cloudformation"
NAME = "pipelines-shared"
ARN = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{NAME}/1"


def stack_in(status: str, **more: Any) -> Deployed:
    """Return the stack in a state."""
    return Deployed(NAME, REGION, status, ARN, **more)
