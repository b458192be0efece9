"""What an upsert leaves: whole at any time, and with nothing left to do in the end."""

from __future__ import annotations

import re
from pathlib import Path

from tests.functional.aws.account import Account
from tests.functional.aws.command import Command
from tests.functional.aws.project import BUCKET, edit

UPSERT = ("upsert", "--yes")


def is_whole(account: Account) -> bool:
    """Say whether all that the deployed definitions name is in the bucket."""
    names = account.client("sagemaker").list_pipelines()["PipelineSummaries"]
    texts = [account.pipeline(name["PipelineName"])["PipelineDefinition"] for name in names]
    uris = [uri for text in texts for uri in re.findall(rf"s3://{BUCKET}/(churn/\w+/[^\"]+)", text)]
    named = {uri for uri in uris if uri.startswith(("churn/code/", "churn/data/"))}
    keys = account.keys(BUCKET)
    return len(named) >= 4 and all(any(k.startswith(n) for k in keys) for n in named)


def change_everything(project: Path, number: int) -> None:
    """Change code, data and tags."""
    for path, old in (("steps/train.py", "training"), ("data/a.csv", "1,0")):
        edit(project / path, old, f"{old}{number}")
    edit(project / "pipeline.yaml", "tags: {", f"tags: {{n{number}: x, ")


def finish(account: Account, pipelines: Command) -> None:
    """Run upsert to its end; after that there is nothing left to do."""
    answer = pipelines(*UPSERT)
    assert answer.code == 0, answer.err
    assert is_whole(account)
    account.proxy.seen.clear()
    assert pipelines("upsert").code == 0
    assert account.proxy.changes() == []
