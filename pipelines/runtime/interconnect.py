"""Instance type and devices → what NCCL and libfabric are told of the network between hosts.

Whether there is an Elastic Fabric Adapter is seen in the container, not concluded from the type:
only some sizes of a family have one, and no laptop. What it takes besides depends on the family.

Sources: TOOLKIT is sagemaker-training 5.1.4, `SM_EFA_NCCL_INSTANCES` and `SM_EFA_RDMA_INSTANCES`,
which its torchrun, MPI and smddp runners read (SDK v3 has the same lists, without p6e-gb200).
Families that these lists do not have get what AWS recommends (awsome-distributed-training,
`efa-cheatsheet.md`): from libfabric 1.18 and aws-ofi-nccl 1.7 on these choose protocol and RDMA by
themselves (aws-ofi-nccl, `platform-aws.cpp`). `NCCL_PROTO` would only forbid them something, and
`RDMAV_FORK_SAFE` may break newer kernels, where `FI_EFA_FORK_SAFE` has no effect. Adapters can RDMA
from Nitro 4 on (EC2 user guide, "Elastic Fabric Adapter"); libfabric refuses to where they cannot.
Which types have an adapter: EC2's DescribeInstanceTypes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Mapping

_DEVICES = Path("/sys/class/infiniband")
_AMAZON = "0x1d0f"
"""The PCI vendor of Elastic Fabric Adapters."""

_PROVIDER = {"FI_PROVIDER": "efa"}
_IN_ORDER = {"NCCL_PROTO": "simple"}  # the adapter delivers out of order (TOOLKIT)
_RDMA = {"FI_EFA_USE_DEVICE_RDMA": "1", "RDMAV_FORK_SAFE": "1"}
_FORK_SAFE = {"FI_EFA_FORK_SAFE": "1"}

FAMILIES: Mapping[str, Mapping[str, str]] = {
    # TOOLKIT: g4dn.8xlarge and 12xlarge, g5.48xlarge, p3dn.24xlarge
    "g4dn": _IN_ORDER,
    "g5": _IN_ORDER,
    "p3dn": _IN_ORDER,
    # TOOLKIT: the adapter reads and writes the memory of the accelerators
    "p4d": {**_IN_ORDER, **_RDMA},
    "p4de": {**_IN_ORDER, **_RDMA},
    "p5": {**_IN_ORDER, **_RDMA},
    "p5e": {**_IN_ORDER, **_RDMA},
    "p6e-gb200": {**_IN_ORDER, **_RDMA},
    "trn1": {**_IN_ORDER, **_RDMA},
    # may run images whose plugin is older than 1.7, which has to be told
    "p5en": {"FI_EFA_USE_DEVICE_RDMA": "1", **_FORK_SAFE},
    "trn1n": {"FI_EFA_USE_DEVICE_RDMA": "1", **_FORK_SAFE},
    "trn2": {"FI_EFA_USE_DEVICE_RDMA": "1", **_FORK_SAFE},
    # take CUDA 12.8, whose images have a newer one
    "p6-b200": _FORK_SAFE,
    "p6-b300": _FORK_SAFE,
    "g7": _FORK_SAFE,
    "g7e": _FORK_SAFE,
    # its plugin does not reach the GPUs' memory: nothing depends on being told
    "g6": _FORK_SAFE,
    "g6e": _FORK_SAFE,
    "gr6": _FORK_SAFE,
}
"""What each family is told besides the provider; any other one with an adapter is told that."""


def fabric(instance_type: str, hosts: int, devices: Path = _DEVICES) -> dict[str, str]:
    """Return the variables for the network between the hosts of a job; none for a single host.

    One host computes over NVLink or shared memory, where `NCCL_PROTO` would only cost.

    Args:
        instance_type: of this host; empty if the platform does not state it.
        hosts: how many hosts the job has.
        devices: where Linux lists RDMA devices.
    """
    if hosts == 1 or not _has_adapter(devices):
        return {}
    return {**_PROVIDER, **FAMILIES.get(family_of(instance_type), {})}


def family_of(instance_type: str) -> str:
    """Return `p4d` of `ml.p4d.24xlarge`."""
    return instance_type.replace("ml.", "", 1).partition(".")[0]


def _has_adapter(devices: Path) -> bool:
    for vendor in devices.glob("*/device/vendor"):
        try:
            if vendor.read_text().strip() == _AMAZON:
                return True
        except OSError:  # not readable in this container
            continue
    return False
