"""The script that sets up a machine to develop on, and the one that stops it when it is idle.

Both run as they are written into the template, as plain processes. Stand-ins are what only an EC2
instance has: systemd, the user of the AMI, S3, Session Manager's agent, `/proc`. Python, pip and
git are real; what pip installs lies in a folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipelines.infra.workstation import script

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the AMIs are Linux")

IDLE = Path(__file__).parents[3] / "pipelines" / "infra" / "scripts" / "stop_when_idle.sh"
WHEEL = "sagemaker_pipelines_as_code-1.2.3-py3-none-any.whl"


class Machine:
    """A folder in the place of `/`, and a folder of stand-ins in front of the PATH."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.stand_ins = folder / "stand-ins"
        self.calls = folder / "calls"
        self.packages = folder / "packages"
        for one in (self.root, self.stand_ins, self.packages):
            one.mkdir()
        self.calls.touch()
        for name in ("systemctl", "chown"):
            self.stand_in(name, "")
        self.stand_in("runuser", 'shift 3; exec "$@"')
        self.stand_in("id", '[ "$2" = ubuntu ] && echo 1000')
        self.stand_in("getent", "echo ubuntu:x:1000:1000::/home/ubuntu:/bin/bash")

    def stand_in(self, name: str, body: str) -> None:
        """Put a command in front of the machine's own; it notes how it was called."""
        file = self.stand_ins / name
        file.write_text(f'#!/bin/bash\necho "{name} $*" >> "{self.calls}"\n{body}\n')
        file.chmod(0o755)

    def wheel(self, name: str, module: str, extras: str = "") -> Path:
        """Build a wheel of one module, as an index would have it."""
        distribution, version = name.split("-")[:2]
        head = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n{extras}"
        path = self.packages / name
        info = f"{distribution}-{version}.dist-info"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{module}.py", "")
            archive.writestr(f"{info}/METADATA", head)
            archive.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr(f"{info}/RECORD", "")
        return path

    def run(self, text: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a script."""
        environment = {
            "PATH": f"{self.stand_ins}{os.pathsep}{os.environ['PATH']}",
            "PREFIX": str(self.root),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.packages),
            **variables,
        }
        words = ["bash", "-c", text]
        return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)

    def set_up(
        self, repository: str = "", branch: str = "main"
    ) -> subprocess.CompletedProcess[str]:
        """Run the script of the first start."""
        head = f"IDLE_MINUTES=60 MAXIMUM_HOURS=12 REPOSITORY='{repository}' BRANCH='{branch}'"
        return self.run(f"{head.replace(' ', chr(10))}\nTOOL=s3://b/ci/tool/1/{WHEEL}\n{script()}")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine whose index has JupyterLab, and whose bucket has the tool."""
    made = Machine(tmp_path)
    made.wheel("jupyterlab-4.0-py3-none-any.whl", "jupyterlab")
    tool = made.wheel(WHEEL, "the_tool", "Provides-Extra: aws\nProvides-Extra: serve\n")
    made.stand_in("aws", f'cp {tool} "${{@: -1}}"')
    return made


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a project that has requirements."""
    folder = tmp_path / "origin"
    folder.mkdir()
    (folder / "pipeline.yaml").write_text("spec: 1\n")
    (folder / "requirements.txt").write_text("seasonal\n")
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    for words in (("init", "-q", "-b", "main"), ("add", "."), (*identity, "commit", "-qm", "one")):
        subprocess.run(["git", *words], cwd=folder, check=True)  # noqa: S607 - git by its name
    return folder


@pytest.mark.slow
def test_a_machine_is_set_up_with_the_project_and_the_frameworks_of_its_ami(
    machine: Machine, repository: Path
) -> None:
    """The environment sees the AMI's packages; pip brings the rest; JupyterLab is on localhost."""
    machine.wheel("seasonal-1.0-py3-none-any.whl", "seasonal")
    subprocess.run([sys.executable, "-m", "venv", machine.root / "opt" / "pytorch"], check=True)
    [site] = (machine.root / "opt" / "pytorch").glob("lib/*/site-packages")
    (site / "torch").mkdir()
    (site / "torch" / "__init__.py").write_text("")
    done = machine.set_up(str(repository))
    assert done.returncode == 0, done.stderr + done.stdout
    home = machine.root / "home" / "ubuntu"
    assert (home / "project" / "pipeline.yaml").exists()
    imports = "import torch, jupyterlab, the_tool, seasonal; print(torch.__file__)"
    python = home / "environment" / "bin" / "python"
    found = subprocess.run([python, "-c", imports], capture_output=True, text=True, check=True)
    assert str(machine.root / "opt" / "pytorch") in found.stdout
    unit = (machine.root / "etc/systemd/system/jupyterlab.service").read_text()
    assert "--ip=127.0.0.1 --port=8888" in unit
    assert "User=ubuntu" in unit
    assert str(machine.root) not in unit
    calls = machine.calls.read_text()
    assert "systemctl enable --now stop-when-idle.timer stop-at-the-latest.timer" in calls
    assert "systemctl enable --now jupyterlab.service" in calls
    assert (
        "OnBootSec=12h"
        in (machine.root / "etc/systemd/system/stop-at-the-latest.timer").read_text()
    )
    idle = (machine.root / "usr/local/bin/stop-when-idle").read_text()
    assert idle.strip() == IDLE.read_text().strip()
    assert (machine.root / "etc/motd").read_text().startswith("Ready")

    shutil.rmtree(home / "project")
    done = machine.set_up(f"{repository}-of-somebody", "dev")
    assert done.returncode == 0, "a repository that is not public is left to its owner"
    motd = (machine.root / "etc/motd").read_text()
    assert f"git clone --branch dev {repository}-of-somebody ~/project" in motd
    assert motd.splitlines()[-1].startswith("Ready")


def test_a_machine_whose_set_up_fails_says_so_and_stops_all_the_same(machine: Machine) -> None:
    """The timers are there before anything can go wrong."""
    machine.stand_in("aws", "exit 1")
    done = machine.set_up()
    assert done.returncode != 0
    assert "The set-up failed" in (machine.root / "etc/motd").read_text()
    assert "stop-at-the-latest.timer" in machine.calls.read_text()
    assert "jupyterlab" not in machine.calls.read_text()


class Idle:
    """The script that stops the machine, and what it looks at."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        self.machine = machine
        self.proc = folder / "proc"
        self.proc.mkdir()
        self.state = folder / "idle-since"
        self.looks("", load=0.0)

    def looks(
        self, who: str, load: float, *, session: bool = False, gpu: int | None = None
    ) -> None:
        """Say who is there and what runs."""
        self.machine.stand_in("who", f"printf '{who}'")
        self.machine.stand_in("pgrep", "exit 0" if session else "exit 1")
        (self.proc / "loadavg").write_text(f"9.9 {load} 9.9 1/1 1\n")
        if gpu is not None:
            self.machine.stand_in("nvidia-smi", f"echo {gpu}")

    def stops_at(self, minutes: int) -> bool:
        """Run it so long after the start; return whether it stopped the machine."""
        before = self.machine.calls.read_text().count("systemctl poweroff")
        (self.proc / "uptime").write_text(f"{minutes * 60}.25 1.0\n")
        done = self.machine.run(
            IDLE.read_text(), IDLE_MINUTES="60", PROC=str(self.proc), STATE=str(self.state)
        )
        assert done.returncode == 0, done.stderr
        return self.machine.calls.read_text().count("systemctl poweroff") > before


def test_a_machine_stops_after_an_hour_without_load_and_without_a_session(
    machine: Machine, tmp_path: Path
) -> None:
    """Each look that finds either begins the hour anew."""
    idle = Idle(machine, tmp_path)
    assert [idle.stops_at(minutes) for minutes in (5, 30, 64, 65)] == [False, False, False, True]
    for who, load, session, gpu in (
        ("ana pts/0", 0.0, False, 0),
        ("", 0.0, True, 0),
        ("", 0.5, False, 0),
        ("", 0.0, False, 90),
    ):
        idle.state.unlink()
        idle.looks("", 0.0, gpu=0)
        assert not idle.stops_at(100)
        idle.looks(who, load, session=session, gpu=gpu)
        assert not idle.stops_at(170), (who, load, session, gpu)
        idle.looks("", 0.0, gpu=0)
        assert not idle.stops_at(229)
        assert idle.stops_at(230)
