"""What a plan predicts of the cache is what the engine does: the same definitions given to both."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.backends.local.engine.parts import EngineParts
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.json_types import Json, JsonObject
from pipelines.plan.caching import Cause, misses
from pipelines.steptypes import find
from pipelines.steptypes.shapes import shapes_of
from tests.local.engine.undemanding import readable, undemanding

if TYPE_CHECKING:
    from tests.local.engine.conftest import Bench, Run

CACHE = {"Enabled": True, "ExpireAfter": "P30D"}
TYPES = ("Processing", "Training", "Tuning", "Transform")
TEXTS = frozenset({"Environment", "HyperParameters"})


def members() -> Iterator[tuple[str, str]]:
    """Every argument of every Type that is cached and can be run, in the key or not."""
    for kind in TYPES:
        step_type = find(kind)
        assert step_type is not None
        shape = shapes_of(step_type).request
        assert shape is not None
        yield from ((kind, member) for member in sorted(shape.members))


def document(*steps: JsonObject, parameters: list[JsonObject] | None = None) -> JsonObject:
    """Write a definition."""
    return {"Version": "2020-12-01", "Parameters": parameters or [], "Steps": [*steps]}


def cached(name: str, kind: str, arguments: JsonObject, **more: Json) -> JsonObject:
    """Write a cached step."""
    return {"Name": name, "Type": kind, "Arguments": arguments, "CacheConfig": CACHE, **more}


def run(bench: Bench, definition: JsonObject) -> Run:
    """Run a definition with its defaults."""
    bench.define(*definition["Steps"], parameters=definition["Parameters"])
    return bench.run()


def check_agreement(bench: Bench, before: JsonObject, after: JsonObject) -> set[str]:
    """Run both, and compare the hits of the second run with the prediction; return the misses."""
    first = run(bench, before)
    second = run(bench, after)
    assert {first.status, second.status} == {"Succeeded"}, (first.reason, second.reason)
    hits = {name for name, step in second.steps.items() if "CacheHitResult" in step}
    predicted = {miss.step for miss in misses(before, after)}
    wanted = {s["Name"] for s in after["Steps"] if s.get("CacheConfig", {}).get("Enabled")}
    assert hits == wanted - predicted
    return predicted


@pytest.mark.parametrize(("kind", "member"), list(members()))
def test_a_change_in_any_argument(bench: Bench, kind: str, member: str) -> None:
    """Each member of each request, inside the key and outside it."""
    value: Json = {"key": "one"} if member in TEXTS else {"Inner": {"S3Path": "one"}}
    other: Json = {"key": "two"} if member in TEXTS else {"Inner": {"S3Path": "two"}}
    before = document(cached("a", kind, {member: value}))
    after = document(cached("a", kind, {member: other}))
    step_type = find(kind)
    assert step_type is not None
    assert step_type.cache is not None
    is_key = member in step_type.cache.key
    assert check_agreement(bench, before, after) == ({"a"} if is_key else set())
    assert check_agreement(bench, after, after) == set()


@pytest.mark.parametrize(
    "part",
    [
        *("AlgorithmSpecification", "HyperParameterRanges", "InputDataConfig"),
        *("StaticHyperParameters", "TuningObjective", "ResourceConfig", "RoleArn"),
    ],
)
def test_a_change_inside_the_definition_of_a_tuned_job(bench: Bench, part: str) -> None:
    """Only five of its members count."""
    one = document(cached("a", "Tuning", {"TrainingJobDefinition": {part: {"x": "1"}}}))
    two = document(cached("a", "Tuning", {"TrainingJobDefinition": {part: {"x": "2"}}}))
    assert check_agreement(bench, one, two) == (
        set() if part in {"ResourceConfig", "RoleArn"} else {"a"}
    )


def chain(code: str = "1", where: str = "runs", volume: int = 30) -> JsonObject:
    """Write three steps: the second reads an output of the first, the third the first's input."""
    return document(
        cached(
            "first",
            "Processing",
            {
                "AppSpecification": {"ImageUri": code},
                "ProcessingInputs": [{"InputName": "raw", "S3Input": {"S3Uri": "s3://b/raw"}}],
                "ProcessingOutputConfig": {
                    "Outputs": [
                        {"OutputName": "out", "S3Output": {"S3Uri": _made(where)}},
                        {"OutputName": "fixed", "S3Output": {"S3Uri": "s3://b/fixed"}},
                    ]
                },
                "ProcessingResources": {"ClusterConfig": {"VolumeSizeInGB": volume}},
            },
        ),
        cached(
            "reads-output", "Training", _reads("ProcessingOutputConfig.Outputs['out'].S3Output")
        ),
        cached(
            "reads-fixed", "Training", _reads("ProcessingOutputConfig.Outputs['fixed'].S3Output")
        ),
        cached("reads-input", "Training", _reads("ProcessingInputs['raw'].S3Input")),
        cached("reads-name", "Transform", {"ModelName": {"Get": "Steps.first.JobName"}}),
    )


def _made(where: str) -> JsonObject:
    values = [f"s3://b/{where}", {"Get": "Execution.PipelineExecutionId"}]
    return {"Std:Join": {"On": "/", "Values": values}}


def _reads(path: str) -> JsonObject:
    source = {"S3Uri": {"Get": f"Steps.first.{path}.S3Uri"}}
    return {"InputDataConfig": [{"ChannelName": "x", "DataSource": {"S3DataSource": source}}]}


def test_what_a_change_upstream_reaches(bench: Bench) -> None:
    """Outputs under the execution's id are new; an input that is passed on is not."""
    missed = check_agreement(bench, chain("1"), chain("2"))
    assert missed == {"first", "reads-output", "reads-name"}


@pytest.mark.parametrize("change", [{"where": "other"}, {"volume": 50}])
def test_a_change_outside_the_key_reaches_nobody(bench: Bench, change: JsonObject) -> None:
    """The earlier result is taken, with its own outputs: those behind it see no difference."""
    assert check_agreement(bench, chain(), chain(**change)) == set()


@pytest.mark.parametrize("kind", ["String", "Integer", "Float", "Boolean"])
def test_a_changed_default_of_a_parameter(bench: Bench, kind: str) -> None:
    """Where it stands in a key attribute, alone or joined; not where it does not."""
    defaults = {
        "String": ("a", "b"),
        "Integer": (1, 2),
        "Float": (0.5, 2),
        "Boolean": (True, False),
    }

    def definition(default: Json) -> JsonObject:
        got = {"Get": "Parameters.p"}
        text = {"Std:Join": {"On": "", "Values": [got]}}
        return document(
            cached("direct", "Transform", {"DataProcessing": {"x": got}}),
            cached("joined", "Training", {"HyperParameters": {"p": text}}),
            cached("outside", "Training", {"Tags": [{"Key": "k", "Value": text}]}),
            parameters=[{"Name": "p", "Type": kind, "DefaultValue": default}],
        )

    one, two = map(definition, defaults[kind])
    assert check_agreement(bench, one, two) == {"direct", "joined"}


def test_a_parameter_in_place_of_its_value_changes_nothing(bench: Bench) -> None:
    """What counts is the value, however it is written."""
    text = {"Std:Join": {"On": "/", "Values": ["s3://b", {"Get": "Parameters.p"}]}}
    parameters = [{"Name": "p", "Type": "Integer", "DefaultValue": 7}]
    one = document(cached("a", "Transform", {"TransformInput": {"S3Uri": "s3://b/7"}}))
    two = document(
        cached("a", "Transform", {"TransformInput": {"S3Uri": text}}), parameters=parameters
    )
    assert check_agreement(bench, one, two) == set()


@pytest.mark.parametrize(
    ("variable", "varies"),
    [
        ("PipelineExecutionId", True), ("PipelineExecutionArn", True), ("StartDateTime", True),
        ("CurrentDateTime", True), ("TrainingJobName", True),
        ("PipelineName", False), ("PipelineArn", False),
    ],
)  # fmt: skip
def test_execution_variables_in_the_key(bench: Bench, variable: str, *, varies: bool) -> None:
    """Those that differ from execution to execution never hit."""
    argument = {"Environment": {"X": {"Get": f"Execution.{variable}"}}}
    one = document(cached("a", "Training", argument))
    first = run(bench, one)
    bench.clock.time += 60
    second = run(bench, one)
    assert {first.status, second.status} == {"Succeeded"}
    assert ("CacheHitResult" not in second.steps["a"]) is varies
    assert bool(misses(one, one)) is varies


def test_steps_that_come_move_and_were_not_cached(bench: Bench) -> None:
    """A new step and one that was not cached miss; a step keeps its results under its name only."""
    arguments = {"Environment": {"X": "1"}}
    plain = {"Name": "plain", "Type": "Training", "Arguments": arguments}
    one = document(cached("old-name", "Training", arguments), plain)
    two = document(
        cached("new-name", "Training", arguments), cached("plain", "Training", arguments)
    )
    assert check_agreement(bench, one, two) == {"new-name", "plain"}
    causes = {miss.step: miss.reasons[0].cause for miss in misses(one, two)}
    assert causes == {"new-name": Cause.NEW, "plain": Cause.NOT_CACHED_BEFORE}


def test_behind_a_step_without_a_cache_nothing_hits(bench: Bench) -> None:
    """It makes something new in every execution, also when nothing changed."""
    definition = chain()
    del definition["Steps"][0]["CacheConfig"]
    assert check_agreement(bench, definition, definition) == {"reads-output", "reads-name"}


def test_a_value_out_of_a_file_that_is_written_anew_is_uncertain(bench: Bench) -> None:
    """It may be the same again: the plan says perhaps, for what is behind it too."""

    def definition(code: str) -> JsonObject:
        scores = chain(code)["Steps"][0]
        scores["PropertyFiles"] = [
            {"PropertyFileName": "r", "OutputName": "fixed", "FilePath": "r.json"}
        ]
        auc = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.first.PropertyFiles.r"}, "Path": "a"}}
        text = {"Std:Join": {"On": "", "Values": [auc]}}
        behind = {"Get": "Steps.tuned.HyperParameters['a']"}
        return document(
            scores,
            cached("tuned", "Training", {"HyperParameters": {"a": text}}),
            cached("behind", "Training", {"HyperParameters": {"a": behind}}),
        )

    bench.put("s3://b/fixed/r.json", {"a": 0.7})
    one, two = definition("1"), definition("2")
    run(bench, one)
    second = run(bench, two)
    hits = {name for name, step in second.steps.items() if "CacheHitResult" in step}
    predicted = {miss.step: miss.certain for miss in misses(one, two)}
    assert predicted == {"first": True, "tuned": False, "behind": False}
    assert hits == {"tuned", "behind"}
    bench.put("s3://b/fixed/r.json", {"a": 0.8})
    third = run(bench, definition("3"))
    assert not any("CacheHitResult" in step for step in third.steps.values())


ATTRIBUTES = ("Environment", "HyperParameters", "ResourceConfig", "OutputDataConfig", "RoleArn")
KINDS = st.sampled_from(["plain", "parameter", "id", "name", "passed", "made"])


@st.composite
def values(draw: st.DrawFn, earlier: int) -> Json:
    """Draw a value: a text, a parameter, an execution variable, something of an earlier step."""
    kind = draw(KINDS)
    upstream = f"Steps.s{draw(st.integers(0, earlier - 1))}" if earlier else None
    got: JsonObject = {"Get": "Parameters.p"}
    if kind == "id":
        got = {"Get": "Execution.PipelineExecutionId"}
    elif kind == "name" and upstream:
        got = {"Get": f"{upstream}.JobName"}
    elif kind in {"passed", "made"} and upstream:
        attribute = "Environment" if kind == "passed" else "OutputDataConfig"
        got = {"Get": f"{upstream}.{attribute}['x']"}
    elif kind == "plain":
        return draw(st.sampled_from(["1", "2"]))
    parts = [draw(st.sampled_from(["", "1"])), got]
    return {"Std:Join": {"On": draw(st.sampled_from(["", "/"])), "Values": parts}}


@st.composite
def definitions(draw: st.DrawFn) -> JsonObject:
    """Draw a definition of up to four steps."""
    steps = []
    for index in range(draw(st.integers(1, 4))):
        arguments = {name: {"x": draw(values(index))} for name in ATTRIBUTES}
        step = cached(f"s{index}", "Training", arguments)
        if draw(st.integers(0, 3)) == 0:
            del step["CacheConfig"]
        steps.append(step)
    default = draw(st.sampled_from(["1", "2"]))
    return document(*steps, parameters=[{"Name": "p", "Type": "String", "DefaultValue": default}])


@st.composite
def pairs(draw: st.DrawFn) -> tuple[JsonObject, JsonObject]:
    """Draw a definition, and the same with one argument or the parameter changed."""
    before = draw(definitions())
    after = copy.deepcopy(before)
    index = draw(st.integers(0, len(after["Steps"]) - 1))
    name = draw(st.sampled_from([*ATTRIBUTES, "parameter"]))
    if name == "parameter":
        after["Parameters"][0]["DefaultValue"] = draw(st.sampled_from(["1", "2"]))
    else:
        after["Steps"][index]["Arguments"][name]["x"] = draw(values(index))
    return before, after


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(pair=pairs())
def test_one_change_in_any_definition(
    bench: Bench, new_bench: Callable[[], Bench], pair: tuple[JsonObject, JsonObject]
) -> None:
    """References of all sorts, cached steps and others: the prediction is the engine's hits."""
    del bench
    check_agreement(new_bench(), *pair)


@pytest.fixture
def new_bench(bench: Bench) -> Iterator[Callable[[], Bench]]:
    """Make benches with nothing in them; each leaves the one before."""
    made: list[LocalSageMaker] = []

    def make() -> Bench:
        old = bench.service
        home = bench.home / str(len(made))
        parts = EngineParts(
            executors=bench.jobs.find,
            step_types=undemanding,
            clock=bench.clock,
            check_definition=readable,
        )
        made.append(LocalSageMaker(replace(old.settings, home=home), parts))
        return replace(bench, home=home, service=made[-1])

    yield make
    for service in made:
        service.close()
