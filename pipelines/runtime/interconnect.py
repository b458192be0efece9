"""Instance type and devices → what NCCL and libfabric are told of the network between hosts.

Whether there is an Elastic Fabric Adapter is seen in the container, not concluded from the type:
only some sizes of a family have one, and no laptop. What it takes besides depends on the family.

Sources: TOOLKIT is sagemaker-training 5.1.4, `SM_EFA_NCCL_INSTANCES` and `SM_EFA_RDMA_INSTANCES`,
which its torchrun, MPI and smddp runners read (SDK v3 has the same lists, without p6e-gb200).
UNVERIFIED are the families that these lists do not have: they get what their predecessors get,
without `NCCL_PROTO`, which forbids NCCL the protocols that newer adapters may carry.
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
    # UNVERIFIED: the successors of p5e and trn1
    "p5en": _RDMA,
    "p6-b200": _RDMA,
    "p6-b300": _RDMA,
    "trn1n": _RDMA,
    "trn2": _RDMA,
    # UNVERIFIED: the successors of g5; nothing says that theirs reaches the GPUs' memory
    "g6": {},
    "g6e": {},
    "gr6": {},
    "g7": {},
    "g7e": {},
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
