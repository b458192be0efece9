"""What Types declare beside their shapes leads to members that there are."""

from __future__ import annotations

from functools import cache

import pytest
from botocore.loaders import Loader

from pipelines.json_types import JsonObject
from pipelines.steptypes import UNDOCUMENTED, StepType, find, find_alias, find_listed, names
from pipelines.steptypes.shapes import Shape, Shapes, shapes_of
from pipelines.steptypes.steptype import FAULTS


@cache
def _api() -> JsonObject:
    """Return the shapes of botocore's model."""
    shapes: JsonObject = Loader().load_service_model("sagemaker", "service-2")["shapes"]
    return shapes


def _type(name: str) -> StepType:
    found = find(name)
    assert found is not None
    return found


def _at(shapes: Shapes, shape: Shape | None, place: str) -> Shape | None:
    """Return the shape at a place; None where the place leads nowhere."""
    for part in place.split(".") if place else ():
        if shape is None:
            return None
        name = shape.element if part == "*" else shape.members.get(part)
        shape = shapes.get(name) if name is not None else None
    return shape


def _joined(*places: str) -> str:
    return ".".join(place for place in places if place)


@pytest.mark.parametrize("name", names())
def test_every_declared_place_leads_to_a_member(name: str) -> None:
    """A place with a typing error would find nothing, and nobody would notice."""
    step_type = _type(name)
    shapes = shapes_of(step_type)
    in_request = [
        *(place for limit in step_type.limits for place in limit.at),
        *(place for rule in step_type.rules for place in rule.at),
        *step_type.strings,
        *step_type.metrics,
        *step_type.step_names,
        *((step_type.keeps,) if step_type.keeps else ()),
    ]
    for cluster in step_type.clusters:
        below_job = [cluster.volume, cluster.runtime]
        below_job += [_joined(cluster.at, member) for member in (cluster.type, cluster.count)]
        in_request += [_joined(cluster.job, place) for place in below_job if place is not None]
        in_request += [cluster.parallel] if cluster.parallel else []
    for place in in_request:
        assert _at(shapes, shapes.request, place) is not None, place
    for data in (*step_type.inputs, *step_type.outputs):
        for member in (data.uri, data.named_by, data.file_system):
            place = _joined(data.at, member or "")
            known = (_at(shapes, whole, place) for whole in (shapes.request, shapes.describe))
            assert any(shape is not None for shape in known), place


@pytest.mark.parametrize("name", names())
def test_what_a_step_creates_is_named_by_its_describe_response(name: str) -> None:
    """A stub answers under these members, and references read them."""
    step_type = _type(name)
    resource = step_type.resource
    if resource is not None:
        for member in (resource.name, resource.arn):
            describe = shapes_of(step_type).describe
            assert member is None or (describe is not None and member in describe.members)


@pytest.mark.parametrize("name", names())
def test_steps_are_listed_as_the_api_says(name: str) -> None:
    """PipelineExecutionStepMetadata has a member for each Type, and the ARN stands in it."""
    shapes = _api()
    listed = shapes["PipelineExecutionStepMetadata"]["members"]
    step_type = _type(name)
    assert step_type.metadata in listed
    assert find_listed(step_type.metadata) is step_type
    if step_type.resource is not None:
        members = shapes[listed[step_type.metadata]["shape"]]["members"]
        assert step_type.resource.listed in members


def test_the_api_lists_no_type_that_is_not_known_here() -> None:
    """What the API lists is a Type with a module, or one that no source describes."""
    listed = set(_api()["PipelineExecutionStepMetadata"]["members"])
    assert listed == {_type(name).metadata for name in names()} | UNDOCUMENTED
    assert find_listed("SomethingNew") is None


@pytest.mark.parametrize("name", names())
def test_an_arn_is_made_of_the_noun_that_the_api_demands(name: str) -> None:
    """The patterns of the API's ARN shapes hold the noun."""
    resource = _type(name).resource
    shapes = _api()
    pattern = shapes.get(resource.arn or "", {}).get("pattern") if resource is not None else None
    assert resource is None or pattern is None or f":{resource.noun}/" in pattern


def test_an_alias_belongs_to_one_type() -> None:
    """Otherwise a hint would depend on the order of Types; an alias is no Type itself."""
    aliases = [alias for name in names() for alias in _type(name).aliases]
    assert len(aliases) == len(set(aliases))
    assert not set(aliases) & {*names(), *UNDOCUMENTED}
    assert find_alias("BatchTransform") is _type("Transform")
    assert find_alias("Nothing") is None


@pytest.mark.parametrize("name", names())
def test_retries_name_known_faults(name: str) -> None:
    """The check of a policy suggests out of one list."""
    assert set(_type(name).retry_types) <= set(FAULTS)


def test_only_steps_that_hold_steps_or_end_the_execution_stay_out_of_a_body() -> None:
    """SDK for_each_step.py: a body may hold neither Condition, nor Fail, nor ForEach."""
    outside = {name for name in names() if not _type(name).in_body}
    assert outside == {"Condition", "Fail", "ForEach"}
    assert outside == {name for name in names() if _type(name).holds or _type(name).terminal}
    assert _type("Condition").branches
    assert not _type("Condition").repeats
    assert _type("ForEach").repeats
    assert not _type("ForEach").branches
