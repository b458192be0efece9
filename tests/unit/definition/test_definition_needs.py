"""What a definition needs: code, data, images, instances."""

from __future__ import annotations

import pytest

from pipelines.definition.named import known_beginning, known_text
from pipelines.definition.needs import NamedAsset, assets_in, needs_of, sources_in, uris_in
from pipelines.json_types import Json, JsonObject
from tests.unit.definition.samples import condition_step, get
from tests.unit.definition.test_definition_sdk_types import JOB, TRAINING

CODE = f"s3://b/p/code/train/{'0' * 32}/bundle.pyz"
DATA = f"s3://b/p/data/raw/{'1' * 32}/"


def _channel(name: str, source: JsonObject) -> JsonObject:
    return {"ChannelName": name, "DataSource": source}


def _training(name: str, count: Json) -> JsonObject:
    efs = {"FileSystemId": "fs-1", "DirectoryPath": "/d", "FileSystemType": "EFS"}
    arguments = {
        **TRAINING,
        "ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": count},
        "InputDataConfig": [
            _channel("code", {"S3DataSource": {"S3Uri": CODE}}),
            _channel("train", {"S3DataSource": {"S3Uri": f"{DATA}part.csv"}}),
            _channel("rows", {"S3DataSource": {"S3Uri": get("Parameters.rows")}}),
            _channel("disk", {"FileSystemDataSource": efs}),
        ],
    }
    return {"Name": name, "Type": "Training", "Arguments": arguments}


DEFINITION: JsonObject = {
    "Steps": [
        {"Name": "prepare", "Type": "Processing", "Arguments": JOB},
        condition_step("gate", _training("one", 2), _training("two", get("Parameters.n"))),
        {"Name": "odd", "Type": "Nothing", "Arguments": {"Image": get("Parameters.image")}},
    ]
}


def test_code_and_data_of_ours_are_found_by_their_place() -> None:
    """Once each; a folder stands for what is in it."""
    assert assets_in(DEFINITION) == (
        NamedAsset("code", "train", CODE),
        NamedAsset("data", "raw", DATA),
    )


def test_steps_in_branches_need_something_too() -> None:
    """Images once, instances as many as the greatest step has at once."""
    needs = needs_of(DEFINITION)
    assert needs.assets == assets_in(DEFINITION)
    assert len(needs.images) == len(set(needs.images)) >= 1
    assert needs.instances[("training job", "ml.g5.xlarge")] == 2


def test_spot_capacity_and_warm_pools_have_quotas_of_their_own() -> None:
    """As Service Quotas names them; a warm pool is needed on top of the job's instances."""
    spot, warm = _training("spot", 2), _training("warm", 3)
    spot["Arguments"]["EnableManagedSpotTraining"] = True
    warm["Arguments"]["ResourceConfig"]["KeepAlivePeriodInSeconds"] = get("Parameters.n")
    off = _training("off", 4)
    off["Arguments"] |= {"EnableManagedSpotTraining": False}
    off["Arguments"]["ResourceConfig"] |= {"KeepAlivePeriodInSeconds": 0, "InstanceType": "ml.p5"}
    assert needs_of({"Steps": [spot, warm, off]}).instances == {
        ("spot training job", "ml.g5.xlarge"): 2,
        ("training job", "ml.g5.xlarge"): 3,
        ("training warm pool", "ml.g5.xlarge"): 3,
        ("training job", "ml.p5"): 4,
    }


def test_groups_add_up_and_defaults_of_parameters_count() -> None:
    """A job takes all its groups at once; a start without values has the defaults."""
    group = {"InstanceGroupName": "a", "InstanceType": get("Parameters.type"), "InstanceCount": 3}
    grouped = _training("grouped", 1)
    grouped["Arguments"]["ResourceConfig"] = {
        "InstanceGroups": [group, {**group, "InstanceCount": get("Parameters.n")}],
        "KeepAlivePeriodInSeconds": get("Parameters.off"),
    }
    parameters = [
        {"Name": "type", "Type": "String", "DefaultValue": "ml.c5.xlarge"},
        {"Name": "n", "Type": "Integer", "DefaultValue": 4},
        {"Name": "off", "Type": "Integer", "DefaultValue": 0},
    ]
    needs = needs_of({"Parameters": parameters, "Steps": [grouped]})
    assert needs.instances == {("training job", "ml.c5.xlarge"): 7}


def test_what_steps_read_has_the_name_of_its_input() -> None:
    """A URI, a function where the execution decides, a file system."""
    sources = dict(sources_in(DEFINITION))
    assert sources["train"] == f"{DATA}part.csv"
    assert sources["rows"] == get("Parameters.rows")
    assert known_text(sources["disk"], {}) == "fs-1:/d"
    assert known_text(sources["rows"], {"rows": "s3://b/rows"}) == "s3://b/rows"


def test_uris_are_found_in_any_text() -> None:
    """Also in a text that is JSON, or an argument that holds several."""
    value = {"a": ["--x s3://b/one,two s3://b/three"], "b": '{"u": "s3://b/four"}', "c": 1}
    assert [*uris_in(value)] == ["s3://b/one,two", "s3://b/three", "s3://b/four"]


@pytest.mark.parametrize(
    ("value", "known"),
    [
        ("s3://b/k", "s3://b/k"),
        ({"Get": "Parameters.x"}, ""),
        ({"Std:Join": {"On": "/", "Values": ["s3://b", "k", {"Get": "Execution.x"}]}}, "s3://b/k/"),
        ({"Std:Join": {"On": "/", "Values": ["s3://b", "k"]}}, "s3://b/k"),
        (7, ""),
    ],
)
def test_the_beginning_of_a_joined_text_is_known(value: Json, known: str) -> None:
    """What stands before the first reference."""
    assert known_beginning(value) == known
