"""What is written here of instance types, against moto's copy of EC2's DescribeInstanceTypes."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import moto

from pipelines.images.gpus import gpu_of, gpus_of
from pipelines.images.instances import accelerator_of, architecture_of
from pipelines.runtime.interconnect import FAMILIES, family_of
from pipelines.steptypes import find
from pipelines.steptypes.clusters import has_local_storage
from pipelines.steptypes.shapes import shapes_of

NAMES = {"RTX PRO Server 6000": "RTX PRO 6000"}
"""AWS's pages of g7e name it so."""


@cache
def described() -> dict[str, dict[str, Any]]:
    """Return what EC2 says of types that a job may run on; some old and new ones are missing."""
    path = Path(moto.__file__).parent / "ec2" / "resources" / "instance_types.json.gz"
    known = json.loads(gzip.decompress(path.read_bytes()))
    listed = set[str]()
    for name in ("Training", "Processing", "Transform"):
        step_type = find(name)
        assert step_type is not None
        listed |= set(shapes_of(step_type).get(f"{name}InstanceType").enum)
    found = {one: known[one.removeprefix("ml.")] for one in listed if one[3:] in known}
    assert len(found) > 200
    return found


def test_local_storage_is_that_of_ec2() -> None:
    """Such an instance takes no key for its volume, and its volume has a fixed size."""
    differ = [
        name
        for name, of_ec2 in described().items()
        if has_local_storage(name) != of_ec2["InstanceStorageSupported"]
    ]
    assert differ == []


def test_gpus_are_those_of_ec2() -> None:
    """Which they are, and of families that are known how many."""
    differ: list[tuple[str, object]] = []
    for name, of_ec2 in described().items():
        gpus = of_ec2.get("GpuInfo", {}).get("Gpus", [])
        named = [NAMES.get(one["Name"], one["Name"]) for one in gpus]
        if (gpu_of(name) or None) != (named[0] if named else None):
            differ.append((name, named))
        known = gpus_of(name)
        if known is not None and known != sum(one["Count"] for one in gpus):
            differ.append((name, known))
        assert (accelerator_of(name) == "gpu") == bool(gpus)
        assert architecture_of(name) in of_ec2["ProcessorInfo"]["SupportedArchitectures"]
    assert differ == []


def test_every_family_of_accelerators_with_an_adapter_is_told_something() -> None:
    """The table of the runtime has no gap when the API lists a new family."""
    with_adapter = {
        family_of(name)
        for name, of_ec2 in described().items()
        if of_ec2["NetworkInfo"]["EfaSupported"] and accelerator_of(name) != "cpu"
    }
    computing = {one for one in with_adapter if one[0] in "gpt"}
    assert computing <= FAMILIES.keys()
    assert {"p5en", "p6-b300", "g7", "trn2"} <= computing
