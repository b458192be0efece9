"""CodeBuild on this machine: a buildspec, a clean folder, a shell → what the build left.

Phase by phase, each command by itself in one bash, as version 0.2 of a buildspec has it; a command
that fails ends its phase and, with `on-failure: ABORT`, the build. `python` is that of an
environment made for this build alone, into which the buildspec's own `pip install` puts the tool's
wheel. There is no package index: what the tool and the project need besides is what the tests'
environment has, made visible by PYTHONPATH. `aws` is a script that knows `s3 cp`, since the CLI
is no package of the tests. Nothing else of a buildspec is stood in for.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from venv import EnvBuilder

_SECONDS = 240
_OWN = re.compile(r"pipelines$|sagemaker_pipelines_as_code|.*\.pth$|__editable__")
_AWS = f"""\
#!{sys.executable}
import os, sys
import botocore.session
words = [word for word in sys.argv[1:] if not word.startswith("--")]
assert words[:2] == ["s3", "cp"], sys.argv
bucket, _, key = words[2].removeprefix("s3://").partition("/")
client = botocore.session.Session().create_client("s3", region_name="us-east-1")
body = client.get_object(Bucket=bucket, Key=key)["Body"].read()
os.makedirs(os.path.dirname(words[3]), exist_ok=True)
with open(words[3] + ".part", "wb") as file:
    file.write(body)
os.replace(words[3] + ".part", words[3])
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """What commands of a build or of a job of another host find around them.

    Args:
        folder: of this build alone.
        account: variables with which the AWS of this test is reached.
    """

    folder: Path
    account: Mapping[str, str]

    def environment(self) -> dict[str, str]:
        """Make an environment of Python, and return the variables of the build's shell."""
        EnvBuilder(symlinks=True).create(self.folder / "python")
        tools = self.folder / "python" / "bin"
        (tools / "aws").write_text(_AWS)
        (tools / "aws").chmod(0o755)
        (self.folder / "tmp").mkdir()
        return {
            "PATH": f"{tools}:/usr/bin:/bin",
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder / "tmp"),
            "PYTHONPATH": str(self._packages()),
            "PIP_NO_COMPILE": "0",  # for pip's own reasons 0 is yes: few modules are imported
            "PIP_NO_INDEX": "1",
            "PIP_ROOT_USER_ACTION": "ignore",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            **self.account,
        }

    def _packages(self) -> Path:
        """Link to every installed package but the tool, which the build has to install."""
        folder = self.folder / "packages"
        folder.mkdir(parents=True)
        for place in (path for path in sys.path if path.endswith("site-packages")):
            for package in Path(place).iterdir():
                link = folder / package.name
                if not _OWN.match(package.name) and not link.exists():
                    link.symlink_to(package)
        return folder


def build(
    project: Mapping[str, Any], source: Path, machine: Machine, more: Mapping[str, str]
) -> tuple[int, str]:
    """Run the buildspec of a project; return its exit code and its log.

    Args:
        project: the properties of the CodeBuild project, references resolved.
        source: the clean copy of the commit that it runs in.
        machine: its surroundings.
        more: variables of this build.
    """
    given = project["Environment"]["EnvironmentVariables"]
    environment = {
        **machine.environment(),
        **{one["Name"]: str(one["Value"]) for one in given},
        "CODEBUILD_SRC_DIR": str(source),
        **more,
    }
    return bash(_script(project["BuildSpec"]), source, environment)


def bash(script: str, folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a script; return its exit code and what it printed."""
    done = subprocess.run(
        ["/bin/bash", "-c", script],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout


def keep(spec: Mapping[str, Any], source: Path, target: Path) -> None:
    """Copy a build's artifacts, by the patterns of its buildspec."""
    for pattern in spec.get("artifacts", {}).get("files", ()):
        for file in source.glob(pattern):
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, copy)


def _script(spec: Mapping[str, Any]) -> str:
    assert spec["version"] == 0.2
    assert spec["env"] == {"shell": "bash"}
    lines = []
    for name, phase in spec["phases"].items():
        assert phase["on-failure"] == "ABORT"
        lines.append(f"echo 'Entering phase {name.upper()}'")
        for command in phase["commands"]:
            quoted = shlex.quote(command)
            lines += [f"echo Running command {quoted}", f"eval {quoted} || exit $?"]
    return "\n".join(lines)
