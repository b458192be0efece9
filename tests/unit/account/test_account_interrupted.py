"""An upsert that ends at any of its calls: what is deployed stays whole, the next one finishes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.account.apply import apply, is_current
from pipelines.account.planning import make_plan
from pipelines.compile.driver import compile_spec
from pipelines.compile.model import Compiled, CompileRequest
from pipelines.errors import RefusedError
from pipelines.frozen import frozen
from pipelines.spec.model import PipelineSpec
from tests.functional.aws.finishing import change_everything
from tests.functional.aws.project import BUCKET, add_deployment, write_project
from tests.unit.account.memory import Contents, MemoryAccount

_NAMED = re.compile(rf"s3://{BUCKET}/(churn/(?:code|data)/[^\"]+)")


@frozen
class Version:
    """A spec, and what it compiles to."""

    spec: PipelineSpec
    compiled: Compiled

    def upsert(self, account: MemoryAccount) -> None:
        """Plan and apply, as the command does."""
        plan = make_plan(account, self.spec, self.compiled)
        if not plan.is_empty:
            apply(account, plan, lambda: is_current(account, plan), lambda _: None)

    def is_deployed(self, account: MemoryAccount) -> bool:
        """Return whether the account has nothing left to do for it."""
        return make_plan(account, self.spec, self.compiled).is_empty


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Version, Version]:
    """Compile a project, and the same one with other code, other data and other tags."""
    before, after = tmp_path_factory.mktemp("before"), tmp_path_factory.mktemp("after")
    for folder in (before, after):
        write_project(folder)
        add_deployment(folder)
    change_everything(after, 1)
    return _compiled(before), _compiled(after)


def _compiled(folder: Path) -> Version:
    done = compile_spec(CompileRequest(folder / "pipeline.yaml", None, os.environ))
    assert done.compiled is not None
    assert done.checked.graph is not None
    return Version(done.checked.graph.spec, done.compiled)


@pytest.fixture
def empty() -> MemoryAccount:
    """Make an account with a bucket and nothing in it."""
    return MemoryAccount(Contents({BUCKET: {}}))


def _is_whole(account: MemoryAccount) -> bool:
    """Return whether everything that a deployed definition names is in the bucket."""
    texts = [pipeline["PipelineDefinition"] for pipeline in account.contents.pipelines.values()]
    assert all(json.loads(text)["Steps"] for text in texts)
    keys = account.contents.objects[BUCKET]
    named = {name for text in texts for name in _NAMED.findall(text)}
    return all(any(key.startswith(name) for key in keys) for name in named)


def _interrupted(
    before: MemoryAccount, wanted: Version, *, is_done: bool
) -> Iterator[MemoryAccount]:
    """Yield what an upsert leaves that loses its connection at its first, second … call."""
    number = 0
    while True:
        account = before.copy(number, is_done=is_done)
        try:
            wanted.upsert(account)
        except RefusedError:
            yield account.copy()
            number += 1
        else:
            return


@pytest.mark.parametrize("is_done", [False, True], ids=["lost", "done"])
def test_ended_at_any_call_the_next_upsert_finishes(
    versions: tuple[Version, Version], empty: MemoryAccount, *, is_done: bool
) -> None:
    """The call is lost, or it is carried out and only its answer is lost."""
    before, after = versions
    before.upsert(empty)
    ends = 0
    for account in _interrupted(empty, after, is_done=is_done):
        assert _is_whole(account)
        after.upsert(account)
        assert _is_whole(account)
        assert after.is_deployed(account)
        ends += 1
    assert ends > (8 if is_done else 20)


@pytest.mark.parametrize("is_done", [False, True], ids=["lost", "done"])
def test_ended_at_any_call_of_the_first_upsert(
    versions: tuple[Version, Version], empty: MemoryAccount, *, is_done: bool
) -> None:
    """Nothing is there yet but the bucket."""
    before, _ = versions
    ends = 0
    for account in _interrupted(empty, before, is_done=is_done):
        assert _is_whole(account)
        before.upsert(account)
        assert _is_whole(account)
        assert before.is_deployed(account)
        ends += 1
    assert ends > (8 if is_done else 20)


def test_the_account_in_memory_takes_what_an_upsert_does(
    versions: tuple[Version, Version], empty: MemoryAccount
) -> None:
    """Objects first, then the group, then the pipeline that deploys, then the pipeline."""
    before, after = versions
    before.upsert(empty)
    *uploads, group, deploy, pipeline = empty.changes()
    assert set(uploads) == {"put_object"}
    assert (group, deploy, pipeline) == (
        "create_model_package_group",
        "create_pipeline",
        "create_pipeline",
    )
    assert list(empty.contents.pipelines) == ["churn-deploy", "churn"]
    assert before.is_deployed(empty)
    assert not after.is_deployed(empty)
