"""The plan of an upsert: complete, and empty when it was carried out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.bundle.assets import CodeAsset, DataAsset
from pipelines.compile.model import Compiled
from pipelines.plan import tags
from pipelines.plan.deployed import (
    Deployed,
    DeployedState,
    LiveGroup,
    LivePipeline,
    Times,
    fingerprint,
)
from pipelines.plan.files import FileChange, FileChangeKind, compare, of_bundle, replaced
from pipelines.plan.model import Action, Intent, Plan
from pipelines.plan.planner import plan
from pipelines.programs.deploy.variables import ENDPOINT
from pipelines.runtime.bundle import BundleFile

ROLE = "arn:aws:iam::111122223333:role/jobs"
NOTHING = Deployed(DeployedState())


def code(step: str, content: str) -> CodeAsset:
    """Make a bundle whose address is its content."""
    uri = f"s3://b/churn/code/{step}/{content}/bundle.pyz"
    return CodeAsset(step, uri, content, (BundleFile("code/a.py", False, content.encode()),))  # noqa: FBT003 - as compile writes it


def compiled_pipeline(
    content: str = "1", instance: str = "m5", *, deploy: bool = False
) -> Compiled:
    """Make a compiled pipeline of one step, with one data folder of two files."""
    asset = code("train", content)
    uri = f"s3://b/churn/data/raw/{content}/"
    data = DataAsset(uri, content, (("x", Path("x")), ("y", Path("y"))))
    arguments = {"A": asset.uri, "D": uri, "ResourceConfig": {"InstanceType": instance}}
    text = json.dumps({"Steps": [{"Name": "train", "Type": "Training", "Arguments": arguments}]})
    definitions = {"churn": text, **({"churn-deploy": '{"Steps": []}'} if deploy else {})}
    return Compiled("churn", definitions, (asset,), (data,))


def applied(done: Plan, before: Deployed) -> Deployed:
    """Return what an account is after a plan was carried out: what `apply` does, on values."""
    pipelines, groups = dict(before.state.pipelines), dict(before.state.groups)
    for group in done.groups:
        have = groups.get(group.name) or LiveGroup("arn")
        groups[group.name] = LiveGroup("arn", _tagged(have.tags, group.tags.add, group.tags.remove))
    for one in done.pipelines:
        old = pipelines.get(one.name) or LivePipeline("arn", "{}", "")
        pipelines[one.name] = replace(
            old,
            definition=one.definition or old.definition,
            role=one.settings.get("RoleArn", old.role),
            description=one.settings.get("PipelineDescription", old.description),
            tags=_tagged(old.tags, one.tags.add, one.tags.remove),
        )
    uploaded = {uri for upload in done.uploads for uri, _ in upload.objects}
    return Deployed(DeployedState(pipelines, groups), before.present | uploaded)


def _tagged(
    have: Mapping[str, str], add: Mapping[str, str], remove: tuple[str, ...]
) -> dict[str, str]:
    return {key: value for key, value in {**have, **add}.items() if key not in remove}


TAGS = st.dictionaries(st.sampled_from(["team", "stage", "a b"]), st.sampled_from("xy"))
INTENTS = st.builds(
    Intent,
    pipeline=st.just("churn"),
    role=st.sampled_from([ROLE, ROLE + "2"]),
    bucket=st.just("b"),
    description=st.sampled_from(["", "Who leaves?"]),
    tags=TAGS,
    groups=st.lists(st.sampled_from(["g", "h"]), unique=True).map(tuple),
)
BUNDLES = st.builds(
    compiled_pipeline, st.sampled_from("12"), st.sampled_from(["m5", "g5"]), deploy=st.booleans()
)
LIVE = st.builds(
    LivePipeline,
    arn=st.just("arn"),
    definition=st.sampled_from(["", "[]", "{}", '{"Steps": [{"Name": "x"}]}']),
    role=st.sampled_from([ROLE, "other"]),
    description=st.sampled_from(["", "theirs"]),
    parallelism=st.sampled_from([None, {"MaxParallelExecutionSteps": 3}]),
    tags=TAGS,
)
STATES = st.builds(
    DeployedState,
    st.dictionaries(st.sampled_from(["churn", "churn-deploy"]), st.none() | LIVE),
    st.dictionaries(st.just("g"), st.builds(LiveGroup, st.just("arn"), TAGS)),
)


@given(BUNDLES, INTENTS, STATES)
def test_after_a_plan_was_carried_out_there_is_nothing_to_do(
    compiled: Compiled, intent: Intent, state: DeployedState
) -> None:
    """Whatever was there before."""
    before = Deployed(state)
    after = applied(plan(compiled, intent, before), before)
    assert plan(compiled, intent, after).is_empty


@given(BUNDLES, INTENTS, BUNDLES, INTENTS)
def test_from_one_spec_to_another_and_on(
    old: Compiled, had: Intent, new: Compiled, wants: Intent
) -> None:
    """One plan is enough; and tags that left the spec are gone."""
    before = applied(plan(old, had, NOTHING), NOTHING)
    after = applied(plan(new, wants, before), before)
    assert plan(new, wants, after).is_empty
    live = after.state.pipelines["churn"]
    assert live is not None
    ours = {key for key in live.tags if key not in {tags.MARK, tags.KEYS}}
    assert ours - {"a b"} == set(wants.tags) - {"a b"}


@given(BUNDLES, INTENTS, STATES)
def test_a_plan_is_the_same_each_time(
    compiled: Compiled, intent: Intent, state: DeployedState
) -> None:
    """No order of a set and no time gets into it."""
    assert repr(plan(compiled, intent, Deployed(state))) == repr(
        plan(compiled, intent, Deployed(state))
    )


INTENT = Intent("churn", ROLE, "b", groups=("g",))


def test_the_main_pipeline_changes_last() -> None:
    """What it may start stands by then."""
    made = plan(compiled_pipeline(deploy=True), INTENT, NOTHING)
    assert [one.name for one in made.pipelines] == ["churn-deploy", "churn"]
    assert {one.action for one in made.pipelines} == {Action.CREATE}


def test_only_what_is_missing_is_uploaded() -> None:
    """Of a data folder, the files that are not there yet."""
    made = compiled_pipeline()
    there = frozenset({made.data[0].uri + "x", made.code[0].uri})
    (upload,) = plan(made, INTENT, Deployed(DeployedState(), there)).uploads
    assert (upload.kind, upload.name) == ("data", "raw")
    assert upload.objects == ((made.data[0].uri + "y", Path("y")),)


def test_what_somebody_set_survives_an_update() -> None:
    """The parallelism goes along with the new definition."""
    before = applied(plan(compiled_pipeline(), INTENT, NOTHING), NOTHING)
    live = before.state.pipelines["churn"]
    assert live is not None
    limited = replace(live, parallelism={"MaxParallelExecutionSteps": 3})
    state = replace(before.state, pipelines={"churn": limited})
    (changed,) = plan(
        compiled_pipeline(instance="g5"), INTENT, replace(before, state=state)
    ).pipelines
    assert changed.settings["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 3}


def test_a_description_alone_is_no_reason_to_update() -> None:
    """It is written with the next change."""
    before = applied(plan(compiled_pipeline(), INTENT, NOTHING), NOTHING)
    described = replace(INTENT, description="Who leaves?")
    assert plan(compiled_pipeline(), described, before).is_empty
    (changed,) = plan(compiled_pipeline(instance="g5"), described, before).pipelines
    assert changed.settings["PipelineDescription"] == "Who leaves?"


def test_a_group_of_somebody_else_is_used_as_it_is() -> None:
    """Several pipelines may register in one group: its tags are its maker's."""
    state = DeployedState(groups={"g": LiveGroup("arn", {"owner": "them"})})
    (group,) = plan(
        compiled_pipeline(), replace(INTENT, tags={"team": "ml"}), Deployed(state)
    ).groups
    assert group.action is Action.UNCHANGED


def test_a_pipeline_without_our_mark_is_somebody_elses() -> None:
    """Also one that another spec of ours made."""
    for there in ({}, {tags.MARK: "another"}):
        state = DeployedState({"churn": LivePipeline("arn", "{}", ROLE, tags=there)})
        assert plan(compiled_pipeline(), INTENT, Deployed(state)).pipelines[-1].foreign


@pytest.mark.parametrize(("has_rule", "count"), [(False, 1), (True, 0), (None, 0)])
def test_a_missing_rule_is_warned_of(has_rule: bool | None, count: int) -> None:  # noqa: FBT001 - the case
    """Only where there is a deploy pipeline, and it is known."""
    intent = replace(INTENT, deploy="churn-deploy")
    made = plan(
        compiled_pipeline(deploy=True), intent, Deployed(DeployedState(), has_rule=has_rule)
    )
    assert len(made.warnings) == count
    assert (
        plan(compiled_pipeline(), INTENT, Deployed(DeployedState(), has_rule=False)).warnings == ()
    )


def test_a_schedule_that_is_not_as_the_spec_has_it_is_warned_of_key_by_key() -> None:
    """An upsert changes none; one that may not be read is not spoken of."""
    wanted = Times("cron(0 3 * * ? *)", "UTC", {"epochs": "4"})
    there = {
        "churn-same": wanted,
        "churn-gone": None,
        "churn-old": Times("rate(1 day)", "Europe/Berlin", {"rate": "1"}, is_on=False),
    }
    intent = replace(INTENT, schedules=dict.fromkeys([*there, "churn-unknown"], wanted))
    made = plan(compiled_pipeline(), intent, Deployed(DeployedState(), schedules=there))
    mend = "`ci init` and `ci apply`"
    old = "the schedule churn-old has"
    assert made.warnings == (
        f"there is no schedule churn-gone (`cron(0 3 * * ? *)` in UTC): {mend} make it",
        f"{old} `rate(1 day)`, the spec `cron(0 3 * * ? *)`: {mend} change it",
        f"{old} the time zone Europe/Berlin, the spec UTC: {mend} change it",
        f"{old} the parameter `epochs` not at all, the spec `4`: {mend} change it",
        f"{old} the parameter `rate` `1`, the spec not at all: {mend} change it",
        "the schedule churn-old is switched off in the account",
    )


def test_a_description_that_goes_along_with_an_update_is_shown() -> None:
    """It is written only when something else changes, and then the plan says so."""
    before = applied(plan(compiled_pipeline(), INTENT, NOTHING), NOTHING)
    said = replace(INTENT, description="Who leaves?")
    assert plan(compiled_pipeline(), said, before).pipelines[-1].changes == ()
    changes = plan(compiled_pipeline("2"), said, before).pipelines[-1].changes
    assert [one.after for one in changes if one.path == ("PipelineDescription",)] == ["Who leaves?"]


def test_an_endpoint_that_is_renamed_is_warned_of() -> None:
    """The old one runs on, and nothing finds it any more; somebody else's is not ours to name."""

    def serving(endpoint: str) -> str:
        return json.dumps({"Steps": [{"Arguments": {"Environment": {ENDPOINT: endpoint}}}]})

    made = replace(compiled_pipeline(), definitions={"churn": serving("new")})
    for mark, count in (("churn", 1), ("another", 0)):
        live = LivePipeline("arn", serving("old"), ROLE, tags=tags.desired(mark, {}))
        warnings = plan(made, INTENT, Deployed(DeployedState({"churn": live}))).warnings
        assert [text.split(" is ")[0] for text in warnings] == ["the endpoint old"] * count
    live = LivePipeline("arn", serving("new"), ROLE, tags=tags.desired("churn", {}))
    assert plan(made, INTENT, Deployed(DeployedState({"churn": live}))).warnings == ()


def test_whose_checkpoints_a_training_goes_on_with_is_said() -> None:
    """Where the prefix names an execution; that of its own is a function (D16)."""
    prefix = "s3://b/churn/runs/abc123/train/checkpoints"
    own = {"Std:Join": {"On": "/", "Values": ["s3://b", {"Get": "Execution.PipelineExecutionId"}]}}
    for uri, count in ((prefix, 1), (own, 0), ("s3://b/elsewhere", 0)):
        arguments = {"CheckpointConfig": {"S3Uri": uri}}
        step = {"Name": "train", "Type": "Training", "Arguments": arguments}
        made = replace(compiled_pipeline(), definitions={"churn": json.dumps({"Steps": [step]})})
        warnings = plan(made, INTENT, Deployed(DeployedState())).warnings
        said = f"train goes on with the checkpoints of execution abc123, in {prefix}/"
        assert [text.partition(" (")[0] for text in warnings] == [said] * count


def test_others_tags_stay_and_ours_that_left_go() -> None:
    """Ours are remembered in a tag of their own; a key with a space cannot be."""
    have = {**tags.desired("churn", {"team": "ml", "a b": "1"}), "cost": "theirs"}
    want = tags.desired("churn", {"owner": "me"})
    assert tags.removed(have, want) == ("team",)
    assert tags.added(have, want) == {"owner": "me", tags.KEYS: "owner"}
    assert len(tags.desired("churn", {"k" * 100 + str(n): "" for n in range(5)})[tags.KEYS]) <= 256


def test_each_part_of_the_state_is_in_the_fingerprint() -> None:
    """A change of any of them between reading and writing is noticed."""
    live = LivePipeline("arn", "{}", ROLE)
    others = [
        replace(live, definition="{ }"),
        replace(live, role="x"),
        replace(live, description="x"),
        replace(live, parallelism={"MaxParallelExecutionSteps": 1}),
        replace(live, modified="later"),
        replace(live, tags={"a": "b"}),
    ]
    states = [DeployedState({"churn": one}) for one in (live, None, *others)]
    states += [DeployedState({"churn": live}, {"g": one}) for one in (None, LiveGroup("a"))]
    assert len({fingerprint(state) for state in states}) == len(states)


def test_files_are_named_as_the_project_names_them() -> None:
    """The tool's own are one entry; so is the configuration of the step."""
    before = {"code/a.py": 1, "code/b.py": 1, "tool/pipelines/x.py": 1, "tool/y": 1, "job.json": 1}
    after = {"code/a.py": 2, "code/c.py": 1, "tool/pipelines/x.py": 2, "tool/y": 2, "job.json": 2}
    assert of_bundle(compare(before, after)) == (
        FileChange("a.py", FileChangeKind.CHANGED),
        FileChange("b.py", FileChangeKind.REMOVED),
        FileChange("c.py", FileChangeKind.ADDED),
        FileChange("the step's configuration", FileChangeKind.CHANGED),
        FileChange("the job runtime of pipelines", FileChangeKind.CHANGED),
    )


def test_an_asset_replaces_the_one_of_the_same_step_or_data() -> None:
    """Found by its place in the deployed definition; one that is deployed replaces nothing."""
    old, new = compiled_pipeline("1"), compiled_pipeline("2")
    assert replaced(new.code, new.data, [old.definition]) == {
        "s3://b/churn/code/train/2/bundle.pyz": "s3://b/churn/code/train/1/bundle.pyz",
        "s3://b/churn/data/raw/2/": "s3://b/churn/data/raw/1/",
    }
    assert replaced(old.code, old.data, [old.definition]) == {}
    assert replaced(old.code, old.data, ["{}"]) == {}


def test_a_bundle_that_stays_is_not_what_another_one_of_its_step_replaces() -> None:
    """A registration has one to package and one to send the sample."""
    before, after, stays = (code("train", one) for one in ("2", "3", "1"))
    deployed = json.dumps({"uris": [before.uri, stays.uri]})
    assert replaced([after, stays], [], [deployed]) == {after.uri: before.uri}
