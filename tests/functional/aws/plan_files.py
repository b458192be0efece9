"""How a plan file is written and carried out."""

from __future__ import annotations

from tests.functional.aws.account import Account
from tests.functional.aws.command import Answer, Command

PLAN = ("plan", "-o", "plan.json")
UPSERT = ("upsert", "--plan", "plan.json")


def refused(account: Account, pipelines: Command, *arguments: str) -> Answer:
    """Carry the plan out, which has to be refused before anything is changed."""
    answer = pipelines(*UPSERT, *arguments)
    assert answer.code == 2, answer.out + answer.err
    assert account.proxy.changes() == []
    assert "Traceback" not in answer.err
    return answer
