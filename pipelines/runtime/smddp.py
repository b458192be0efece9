"""One command → the same command as SageMaker's data parallel library starts it.

What is started is known from AWS's toolkit (sagemaker-training 5.1.4, `smdataparallel.py`):
`smddprun` and mpi4py round the script in every rank of mpirun, and the variables and MCA
parameters below. Their meaning is known to the library alone; nobody has run this in an account.
"""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from . import child
from .bundle import Job
from .container import Container
from .errors import JobError
from .interconnect import FAMILIES, family_of

RUN = "smddprun"
_SERVER_PORT = 7592
_MCA = {
    "OMPI_MCA_pml": "ob1",
    "OMPI_MCA_btl": "^openib",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
}


def run(job: Job, container: Container, single: child.Command) -> child.Ended:
    """Run `single` as every rank, one for each GPU of each host.

    Raises:
        JobError: the library is not here, or mpirun has not come up.
    """
    from .mpi import run as run_with_mpi  # noqa: PLC0415 - only smddp steps need it

    library = shutil.which(RUN, path=single.environment.get("PATH"))
    if library is None:
        raise JobError(
            "the step has `distribution: smddp`, and SageMaker's data parallel library"
            f" ({RUN}) is not here: use an image that has it; on a machine of your own, a stub"
        )
    python, *rest = single.argv
    environment = {**variables(container), **single.environment}
    wrapped = single._replace(
        argv=[library, python, "-m", "mpi4py", *rest], environment=environment
    )
    return run_with_mpi(job, container, wrapped)


def variables(container: Container) -> dict[str, str]:
    """Return what the toolkit passes to the ranks."""
    hosts = container.hosts
    found = {**_MCA, "FI_PROVIDER": "efa", "RDMAV_FORK_SAFE": "1"}
    found.update(FAMILIES.get(family_of(hosts.instance_type), {}))
    named = importlib.util.find_spec("gethostname")  # the toolkit's fix of the host's name
    if named is not None and named.origin:
        found["LD_PRELOAD"] = str(Path(named.origin))
    if len(hosts.names) == 1:
        return {**found, "SMDATAPARALLEL_USE_SINGLENODE": "1"}
    return {
        **found,
        "SMDATAPARALLEL_USE_HOMOGENEOUS": "1",
        "SMDATAPARALLEL_SERVER_ADDR": hosts.master,
        "SMDATAPARALLEL_SERVER_PORT": str(_SERVER_PORT),
        "SAGEMAKER_INSTANCE_TYPE": hosts.instance_type,
    }
