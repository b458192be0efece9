"""The launchers of TensorFlow and of SageMaker's libraries; what NCCL is told of the network."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from pipelines.runtime.command import collective_environment
from pipelines.runtime.container import Container, Hosts
from pipelines.runtime.interconnect import FAMILIES, fabric
from pipelines.runtime.smddp import variables
from pipelines.runtime.tf_config import mirrored, with_servers
from pipelines.testing.jobs import Jobs


def container(current: str, *names: str, instance_type: str = "ml.p4d.24xlarge") -> Container:
    """What the platform says to one of several hosts."""
    hosts = Hosts(current, names, instance_type, "eth0", {})
    return Container("a-job", hosts, {}, {}, {}, {}, isolated=False)


def test_every_host_is_a_worker_with_a_port_of_its_own() -> None:
    """TensorFlow listens on all addresses: local hosts would take each other's port."""
    first = mirrored(container("algo-1", "algo-1", "algo-2", "algo-3"))
    third = mirrored(container("algo-3", "algo-1", "algo-2", "algo-3"))
    assert first["cluster"] == third["cluster"]
    assert [one.partition(":")[0] for one in first["cluster"]["worker"]] == [
        "algo-1",
        "algo-2",
        "algo-3",
    ]
    assert third["task"] == {"type": "worker", "index": 2}
    (alone,) = mirrored(container("algo-1", "algo-1"))["cluster"]["worker"]
    assert alone.startswith("127.0.0.1:")
    servers = with_servers(container("algo-2", "algo-1", "algo-2", "algo-3"))
    addresses = [one for role in servers["cluster"].values() for one in role]
    ports = {one.partition(":")[2] for one in addresses}
    assert len(ports) == 6
    assert str(container("algo-1", "algo-1").port) not in ports
    assert [len(servers["cluster"][role]) for role in ("master", "worker", "ps")] == [1, 2, 3]
    assert servers["task"] == {"type": "worker", "index": 0}


SHOW = "import os\nprint('<' + os.environ.get('TF_CONFIG', 'none') + '>')\n"


def test_the_script_finds_the_cluster_in_tf_config(jobs: Jobs, project: Path) -> None:
    """One process on each host; what the user's environment says of it holds."""
    (project / "train.py").write_text(SHOW)
    result = jobs.training("train.py", hosts=2, distribution="tensorflow").run()
    configs = [json.loads(line[1:-1]) for line in result.log.splitlines() if line[:1] == "<"]
    assert sorted(one["task"]["index"] for one in configs) == [0, 1]
    (address, other) = configs[0]["cluster"]["worker"]
    assert (address[:10], other[:10]) == ("127.0.0.1:", "127.0.0.2:")
    own = {"TF_CONFIG": "mine"}
    assert (
        "<mine>" in jobs.training("train.py", distribution="tensorflow", environment=own).run().log
    )


SPEC = """\
spec: 1
pipeline: servers
aws: {role: arn:aws:iam::111122223333:role/jobs, bucket: team-bucket}
steps:
  train:
    kind: training
    image: tensorflow-2.14-cpu
    script: train.py
    distribution: {launcher: tensorflow, strategy: parameter_server}
"""

TENSORFLOW = """\
import os, socket
class train:
    ClusterSpec = staticmethod(dict)
class distribute:
    class Server:
        def __init__(self, cluster, job_name, task_index):
            host, _, port = cluster[job_name][task_index].partition(":")
            self.socket = socket.create_server((host, int(port)))
        def join(self):
            while True:
                connection = self.socket.accept()[0]
                connection.sendall(os.environ["CUDA_VISIBLE_DEVICES"].encode())
                connection.close()
"""

USE_SERVERS = """\
import json, os, socket, time
import tensorflow
def connect(address):
    host, _, port = address.partition(":")
    while True:
        try:
            return socket.create_connection((host, int(port)))
        except ConnectionRefusedError:
            time.sleep(0.05)
config = json.loads(os.environ["TF_CONFIG"])
cluster, task = config["cluster"], config["task"]
if task["type"] == "worker":
    if os.environ.get("FAIL") == str(task["index"]):
        raise ValueError("the loss is not a number")
    connect(cluster["master"][0]).sendall(b"w")
else:
    host, _, port = cluster["master"][0].partition(":")
    server = socket.create_server((host, int(port)))
    workers = len(cluster["worker"])
    while workers:  # who only asks whether the master is still there says nothing
        workers -= len(server.accept()[0].recv(1))
    print("servers", *(connect(one).recv(9).decode() for one in cluster["ps"]))
"""


def test_the_servers_of_all_hosts_stay_until_the_master_has_ended(
    tmp_path: Path, project: Path
) -> None:
    """The workers end first; the master still reaches the server beside each of them, on no GPU."""
    (project / "pipeline.yaml").write_text(SPEC)
    (project / "tensorflow.py").write_text(TENSORFLOW)
    (project / "train.py").write_text(USE_SERVERS)
    jobs = Jobs(tmp_path / "jobs", project, project / "pipeline.yaml")
    result = jobs.step("train", hosts=3).run()
    assert result.exit_code == 0, result.log
    assert "servers -1 -1 -1" in result.log.splitlines()
    failed = jobs.step("train", hosts=2, environment={"FAIL": "0"}).run()
    assert failed.failure is not None
    assert failed.failure.startswith("ValueError: the loss is not a number"), failed.failure


def test_the_data_parallel_library_is_told_what_the_toolkit_tells_it() -> None:
    """Other variables on one host than on several; what the family's adapter takes besides."""
    one = variables(container("algo-1", "algo-1", instance_type="ml.p3.16xlarge"))
    assert one["SMDATAPARALLEL_USE_SINGLENODE"] == "1"
    assert "NCCL_PROTO" not in one
    two = variables(container("algo-2", "algo-1", "algo-2"))
    assert two["SMDATAPARALLEL_USE_HOMOGENEOUS"] == "1"
    assert two["SMDATAPARALLEL_SERVER_ADDR"] == "algo-1"
    assert two["SAGEMAKER_INSTANCE_TYPE"] == "ml.p4d.24xlarge"
    assert (two["NCCL_PROTO"], two["FI_EFA_USE_DEVICE_RDMA"]) == ("simple", "1")


MPIRUN = """\
#!PYTHON
import os, subprocess, sys
start = sys.argv[sys.argv.index("-np") + 2 :]
while start[0].startswith("-"):
    del start[:3]
size = int(sys.argv[sys.argv.index("-np") + 1])
names = "RANK", "SIZE", "LOCAL_RANK"
ranks = [
    subprocess.Popen(start, env={**os.environ, **{
        f"OMPI_COMM_WORLD_{name}": str(value) for name, value in zip(names, (rank, size, rank))
    }})
    for rank in range(size)
]
sys.exit(max(rank.wait() for rank in ranks))
"""
RUN = """\
#!PYTHON
import os, sys
print("library", os.environ["OMPI_COMM_WORLD_RANK"], os.environ["SMDATAPARALLEL_USE_SINGLENODE"])
sys.stdout.flush()
os.execvp(sys.argv[1], sys.argv[1:])
"""
SPEC_OF_LIBRARY = """\
spec: 1
pipeline: library
aws: {role: arn:aws:iam::111122223333:role/jobs, bucket: team-bucket}
steps:
  train:
    kind: training
    image: tensorflow-2.4-gpu
    instance_type: ml.p3.16xlarge
    script: train.py
    include: [mpi4py]
    distribution: smddp
"""


def test_the_data_parallel_library_starts_every_rank(tmp_path: Path, project: Path) -> None:
    """Its command and mpi4py stand round the script; without it the job says what is missing."""
    (project / "mpi4py").mkdir()
    (project / "mpi4py" / "__init__.py").write_text("")
    (project / "mpi4py" / "__main__.py").write_text(
        "import runpy, sys\ndel sys.argv[0]\nprint('mpi4py')\nrunpy.run_path(sys.argv[0])\n"
    )
    (project / "train.py").write_text("import sys\nprint('script', *sys.argv[1:])\n")
    (project / "pipeline.yaml").write_text(SPEC_OF_LIBRARY)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (("mpirun", MPIRUN), ("smddprun", RUN)):
        (programs / name).write_text(text.replace("PYTHON", sys.executable))
        (programs / name).chmod(0o755)
    jobs = Jobs(tmp_path / "jobs", project, project / "pipeline.yaml")
    path = {"PATH": f"{programs}:/usr/bin:/bin"}
    result = jobs.step("train", environment=path, hyperparameters={"epochs": 3}).run()
    assert result.exit_code == 0, result.log
    lines = result.log.splitlines()
    assert [one for one in lines if one.split()[0] in ("library", "mpi4py", "script")] == [
        "library 0 1",
        "mpi4py",
        "script --epochs 3",
    ]
    missing = jobs.step("train", environment={"PATH": "/nowhere"}).run()
    assert missing.failure is not None
    assert "SageMaker's data parallel library (smddprun) is not here" in missing.failure


def adapter(folder: Path, vendor: str) -> Path:
    """A folder as Linux lists RDMA devices in."""
    (folder / "rdma0" / "device").mkdir(parents=True)
    (folder / "rdma0" / "device" / "vendor").write_text(f"{vendor}\n")
    return folder


@pytest.mark.parametrize("family", [*FAMILIES, "m7i"])
def test_nccl_is_told_of_the_adapter_that_is_there(family: str, tmp_path: Path) -> None:
    """Every family's; nothing where there is another vendor's device, none, or one host alone."""
    amazon = adapter(tmp_path / "amazon", "0x1d0f")
    told = fabric(f"ml.{family}.48xlarge", 2, amazon)
    assert told == {"FI_PROVIDER": "efa", **FAMILIES.get(family, {})}
    assert fabric(f"ml.{family}.48xlarge", 1, amazon) == {}
    assert fabric(f"ml.{family}.48xlarge", 2, adapter(tmp_path / "other", "0x15b3")) == {}
    assert fabric(f"ml.{family}.48xlarge", 2, tmp_path / "none") == {}


def test_the_environment_of_the_user_holds() -> None:
    """What the step's `environment:` says of NCCL is not replaced."""
    given = {"NCCL_SOCKET_IFNAME": "eth1"}
    told = collective_environment(container("algo-1", "algo-1", "algo-2"), given)
    assert told["GLOO_SOCKET_IFNAME"] == "eth0"
    assert "NCCL_SOCKET_IFNAME" not in told
