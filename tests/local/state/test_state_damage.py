"""A damaged `state.db` ends in a sentence, whichever of its bytes are damaged."""

from __future__ import annotations

import json
import random
import sqlite3
from pathlib import Path

import pytest

from pipelines.backends.local.local_caller import LocalCaller
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import LocalSettings
from pipelines.backends.local.state.database import Database, StateError
from pipelines.errors import UsageError

DEFINITION = json.dumps(
    {
        "Version": "2020-12-01",
        "Steps": [{"Name": "a", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}],
    }
)


def _settings(home: Path) -> LocalSettings:
    return LocalSettings(home, Path("/usr/bin/python3"), "rewrite")


def _written(home: Path) -> bytes:
    with LocalSageMaker(_settings(home)) as sagemaker:
        role = "arn:aws:iam::111122223333:role/jobs"
        token = "t" * 32
        sagemaker.create_pipeline(
            PipelineName="p", PipelineDefinition=DEFINITION, RoleArn=role, ClientRequestToken=token
        )
        for _ in range(3):
            sagemaker.start_pipeline_execution(PipelineName="p")
    connection = sqlite3.connect(home / "state.db")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return (home / "state.db").read_bytes()


def _look(home: Path) -> None:
    with LocalSageMaker(_settings(home)) as sagemaker:
        caller = LocalCaller(sagemaker)
        for pipeline in caller.pages("sagemaker", "list_pipelines", "PipelineSummaries"):
            name = pipeline["PipelineName"]
            list(
                caller.pages(
                    "sagemaker",
                    "list_pipeline_executions",
                    "PipelineExecutionSummaries",
                    PipelineName=name,
                )
            )


def test_no_damaged_byte_ends_in_a_traceback(tmp_path: Path) -> None:
    """A damaged file, column or value is a StateError; what is unharmed is read as ever."""
    good = _written(tmp_path / "good")
    refused: list[str] = []
    for seed in range(150):
        source = random.Random(seed)  # noqa: S311 - seeded, so that a failure can be repeated
        damaged = bytearray(good)
        for _ in range(source.choice((1, 50, 500))):
            damaged[source.randrange(len(damaged))] = source.choice((0, 255, 58))
        home = tmp_path / str(seed)
        home.mkdir()
        (home / "state.db").write_bytes(damaged)
        try:
            _look(home)
        except StateError as error:
            refused.append(error.problem)
    assert len(refused) > 10
    assert [one for one in refused if "damaged" not in one and "a newer version" not in one] == []


def test_a_text_that_is_not_unicode_is_refused(tmp_path: Path) -> None:
    """Half a surrogate pair, as JSON may carry it, is named instead of ending in a traceback."""
    with Database(tmp_path) as database, pytest.raises(UsageError, match=r"udcff' is not valid"):
        database.read("SELECT ?", "\udcff")
