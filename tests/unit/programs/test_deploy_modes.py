"""The modes of an endpoint: what the deployer knows of each, and that the spec knows the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.kinds import modes as keys
from pipelines.programs.deploy import modes
from pipelines.programs.deploy.target import target_of
from pipelines.programs.deploy.variables import ENDPOINT, GROUP

SERVERLESS = {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}
REALTIME = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}


def test_a_mode_is_one_module_of_the_deployer_and_one_of_the_kind() -> None:
    """Both have the key's name, and nothing else names a mode."""
    files = {file.stem for file in Path(keys.__file__).parent.glob("[!_]*.py")}
    assert files == set(modes.names())
    for name in modes.names():
        mode = modes.find(name)
        assert mode.name == name
        assert set(mode.becomes) <= set(modes.names()) - {name}


@pytest.mark.parametrize(
    ("variants", "name"),
    [([SERVERLESS], "serverless"), ([REALTIME], "realtime"), ([], "realtime")],
)
def test_an_endpoint_config_shows_one_mode(variants: list[dict[str, Any]], name: str) -> None:
    """A config that is gone leaves an endpoint of which the least is promised."""
    config = {"ProductionVariants": [{"VariantName": "v", **one} for one in variants]}
    assert modes.of(config).name == name
    assert [mode.name for mode in map(modes.find, modes.names()) if mode.shows(config)] == [name]


@pytest.mark.parametrize(
    ("live", "due", "possible"),
    [
        ("serverless", "realtime", True),
        ("serverless", "serverless", True),
        ("realtime", "realtime", True),
        ("realtime", "serverless", False),
        ("realtime", "", True),
        ("asynchronous", "realtime", False),
        ("asynchronous", "asynchronous", True),
        ("realtime", "asynchronous", False),
        ("serverless", "asynchronous", False),
    ],
)
def test_which_mode_an_update_leads_to(live: str, due: str, *, possible: bool) -> None:
    """FACTS 5.2; an early entry of the history names no mode, and then the service decides."""
    assert modes.find(live).can_become(due) is possible


@pytest.mark.parametrize(
    ("mode", "without", "config"),
    [
        ("serverless", False, {}),
        ("realtime", False, {"KmsKeyId": "k"}),
        ("realtime", True, {}),
        ("asynchronous", True, {}),
    ],
)
def test_a_key_goes_with_the_volumes_of_instances(
    mode: str, *, without: bool, config: dict[str, str]
) -> None:
    """Where there are no volumes, or the instance encrypts them, the service refuses the key."""
    given = {
        "mode": mode,
        "variant": {},
        "environment": {},
        "deployment": None,
        "sample": None,
        "pipeline": "p",
        "aws": {"bucket": "b", "role": "r", "kms_key": "k"},
        "volumes_without_key": without,
    }
    target = target_of(given, {ENDPOINT: "e", GROUP: "g"}, lambda _path: b"")
    assert (target.mode, target.config) == (mode, config)
