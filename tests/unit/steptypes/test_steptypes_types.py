from __future__ import annotations

from pathlib import Path

import pytest

import pipelines.steptypes
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes import find, module_name, names
from pipelines.steptypes.caching import compared
from pipelines.steptypes.shapes import shapes_of
from pipelines.steptypes.steptype import JOB_FAULTS, STEP_FAULTS

SDK_TYPES = {
    "AutoML", "Callback", "ClarifyCheck", "Cleanup", "Condition", "EMR", "EMRServerless",
    "Endpoint", "EndpointConfig", "Fail", "ForEach", "InferenceComponent", "Job", "Lambda",
    "Lineage", "Model", "Processing", "QualityCheck", "RegisterModel", "Training", "Transform",
    "Tuning",
}  # fmt: skip


def test_every_type_of_the_sdk_is_known() -> None:
    """StepTypeEnum of sagemaker 3.27 has exactly these 22 members."""
    assert set(names()) == SDK_TYPES


@pytest.mark.parametrize("name", sorted(SDK_TYPES))
def test_a_type_stands_in_the_module_of_its_name(name: str) -> None:
    """The engine and the tools find a Type by its name alone."""
    folder = Path(pipelines.steptypes.__file__).parent
    assert (folder / f"{module_name(name)}.py").is_file()
    found = find(name)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("RegisterModel", "register_model"),
        ("AutoML", "auto_ml"),
        ("EMR", "emr"),
        ("EMRServerless", "emr_serverless"),
        ("ForEach", "for_each"),
        ("Lambda", "lambda_"),
    ],
)
def test_a_capital_run_is_one_word_of_a_module_name(name: str, module: str) -> None:
    """One rule names the modules here and the local executors."""
    assert module_name(name) == module


@pytest.mark.parametrize("name", ["Trainning", "training", "../shapes", "", "shapes"])
def test_a_type_that_does_not_exist_is_none(name: str) -> None:
    """Names come from foreign definitions: nothing else may be imported by them."""
    assert find(name) is None


@pytest.mark.parametrize("name", sorted(SDK_TYPES))
def test_the_shapes_of_a_type_hold_every_shape_they_mention(name: str) -> None:
    """A shape that is mentioned and not there would end a check with a KeyError."""
    step_type = find(name)
    assert step_type is not None
    shapes = shapes_of(step_type)
    for shape_name in shapes.names():
        shape = shapes.get(shape_name)
        inner = [*shape.members.values(), shape.element, shape.key, shape.value]
        for mentioned in inner:
            assert mentioned is None or shapes.get(mentioned).name == mentioned
    for key in step_type.step_keys:
        assert shapes.get(key.shape).name == key.shape


@pytest.mark.parametrize("name", sorted(SDK_TYPES))
def test_supplied_members_and_cache_keys_are_members_of_the_request(name: str) -> None:
    """A cache key with a typing error would never miss."""
    step_type = find(name)
    assert step_type is not None
    shapes = shapes_of(step_type)
    keys = step_type.cache.key if step_type.cache is not None else ()
    for key in (*keys, *step_type.supplied):
        shape = shapes.request
        for part in key.split("."):
            assert shape is not None
            assert part in shape.members, key
            shape = shapes.get(shape.members[part])


def test_the_members_of_which_one_is_needed_exist() -> None:
    """Otherwise a new API model would make a rule that nothing can fulfil."""
    for name in names():
        step_type = find(name)
        assert step_type is not None
        shapes = shapes_of(step_type)
        for where, choices in step_type.one_of:
            shape = shapes.request
            for part in where.split(".") if where else ():
                assert shape is not None
                shape = shapes.get((shape.element if part == "*" else shape.members[part]) or "")
            assert shape is not None
            assert set(choices) <= shape.members.keys(), (name, where)


def _compared(type_name: str, arguments: JsonObject) -> Json:
    cached = {"CacheConfig": {"Enabled": True}}
    return compared(cached, arguments, find(type_name))


def test_the_cache_of_training_ignores_resources_and_role() -> None:
    """Developer guide, default cache key attributes."""
    arguments = {"RoleArn": "r", "ResourceConfig": {}, "HyperParameters": {"a": "1"}}
    assert _compared("Training", arguments) == ["Training", {"HyperParameters": {"a": "1"}}]


def test_the_cache_of_tuning_looks_into_the_job_definition() -> None:
    """Only some members of TrainingJobDefinition are compared."""
    definition = {"RoleArn": "r", "StaticHyperParameters": {"a": "1"}}
    found = _compared("Tuning", {"TrainingJobDefinition": definition})
    assert found == ["Tuning", {"TrainingJobDefinition.StaticHyperParameters": {"a": "1"}}]


def test_a_type_whose_cache_key_is_unknown_compares_everything() -> None:
    """Missing a cache is slow, hitting a wrong one is wrong."""
    assert _compared("Lambda", {"a": 1}) == ["Lambda", {"a": 1}]


def test_jobs_retry_faults_of_jobs_and_models_only_those_of_steps() -> None:
    """Developer guide, retry policies: Model takes Step.* types only; EMR by the SDK (PR 5281)."""
    retries = {name: step_type.retry_types for name in names() if (step_type := find(name))}
    assert retries["Training"] == retries["Processing"] == retries["Tuning"] == JOB_FAULTS
    assert retries["Model"] == retries["RegisterModel"] == STEP_FAULTS
    assert retries["EMR"] == (*STEP_FAULTS, "SageMaker.JOB_INTERNAL_ERROR", "Emr.RESOURCE_LIMIT")
    assert retries["Condition"] == retries["Lambda"] == retries["Fail"] == ()
