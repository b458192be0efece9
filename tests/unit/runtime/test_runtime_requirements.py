from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import pipelines
from pipelines.runtime.errors import JobError
from pipelines.runtime.requirements import ENV_DIR_VARIABLE, RequirementSet, interpreter, is_met
from pipelines.testing.jobs import Jobs

NAME = "pipelines-test-wheel"


def write_wheel(folder: Path) -> str:
    """Write a tiny wheel and return its requirement line, pinned by hash."""
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / "pipelines_test_wheel-1.0-py3-none-any.whl"
    info = "pipelines_test_wheel-1.0.dist-info"
    files = {
        "pipelines_test_wheel.py": "FROM = 'the wheel'\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},{_digest(text)},{len(text)}\n" for name, text in files.items())
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), text)
    return f"{NAME}==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def installed(name: str) -> str | None:
    """The versions of an imagined image."""
    return {"torch": "2.13.0+cpu", "numpy": "2.1", "pkg.name": "1.0rc1"}.get(name)


@pytest.mark.parametrize(
    ("line", "met"),
    [
        ("torch", True),
        ("torch==2.13.0", True),
        ("torch==2.13", True),
        ("torch == 2.13.0+cpu  # comment", True),
        ("torch==2.13.0+cu133", False),
        ("torch==2.12.0", False),
        ("numpy==2.1.0 --hash=sha256:abc --hash=sha256:def", True),
        ("pkg.name==1.0rc1", True),
        ("# only a comment", True),
        ("", True),
        ("pandas", False),
        ("numpy>=2", True),
        ("numpy >=1.26, <3  # a range", True),
        ("numpy>=3", False),
        ("pandas>=2", False),
        ("pandas>=2; python_version < '3'", True),
        ("numpy[extra]==2.1", False),
        ("numpy @ https://example.org/numpy.whl", False),
        ("numpy==2.*", True),
        ("numpy>=2; python_version >= '3'", True),
        ("--extra-index-url https://example.org", False),
    ],
)
def test_what_is_installed_is_decided_without_pip(line: str, met: bool) -> None:  # noqa: FBT001 - a table's column
    """Extras and URLs are for pip to decide, so they count as not met."""
    assert is_met(line, installed) is met


def test_without_packaging_ranges_are_for_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    """No image has to have it, and pip brings its own; exact pins and bare names need nothing."""
    monkeypatch.setitem(sys.modules, "packaging.requirements", None)
    assert is_met("numpy>=2", installed)
    monkeypatch.setitem(sys.modules, "pip._vendor.packaging.requirements", None)
    assert not is_met("numpy>=2", installed)
    assert is_met("numpy", installed)


DECIDE = """\
import json, pathlib, sys
from pipelines.runtime.errors import JobError
from pipelines.runtime.requirements import RequirementSet, interpreter
entry = json.loads(sys.argv[1])
try:
    print("PYTHON", interpreter(RequirementSet.of(entry, pathlib.Path.cwd(), isolated=False)))
except JobError as error:
    print("FAILED", error)
"""


@pytest.fixture
def decide(tmp_path: Path) -> Callable[[str], str]:
    """Ask for a Python for one line in mode `wheels`, in a process of its own, as in a job."""

    def ask(line: str) -> str:
        entry = {"mode": "wheels", "lines": [line], "folder": "wheels"}
        python_path = str(Path(pipelines.__file__).parents[1])
        return subprocess.run(
            [sys.executable, "-c", DECIDE, json.dumps(entry)],
            cwd=tmp_path,
            env={ENV_DIR_VARIABLE: str(tmp_path / "env"), "PYTHONPATH": python_path},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout

    return ask


def test_requirements_that_are_met_leave_the_interpreter_alone(
    decide: Callable[[str], str], tmp_path: Path
) -> None:
    """No environment is made where nothing is missing."""
    assert decide("pytest") == f"PYTHON {sys.executable}\n"
    assert not (tmp_path / "env").exists()


@pytest.mark.parametrize(
    "every_python", [pytest.param("this", marks=pytest.mark.slow), "3.7"], indirect=True
)
@pytest.mark.usefixtures("every_python")
def test_wheels_go_into_an_environment_that_sees_the_outer_packages_and_is_made_once(
    decide: Callable[[str], str], tmp_path: Path
) -> None:
    """The environment has the wheel, and the packages of the environment the tool runs in."""
    line = write_wheel(tmp_path / "wheels")
    first = decide(line)
    assert "Successfully installed" in first
    python = Path(first.split("PYTHON ")[1].strip())
    assert python.is_relative_to(tmp_path / "env")
    assert decide(line) == f"PYTHON {python}\n"
    code = "import pipelines_test_wheel as w, pip, sys; print(w.FROM, sys.prefix)"
    said = subprocess.check_output([python, "-c", code], text=True)
    assert said == f"the wheel {python.parents[1]}\n"


def test_a_wheel_with_another_hash_is_refused_with_the_words_of_pip(
    decide: Callable[[str], str], tmp_path: Path
) -> None:
    """The lock is checked; the failure text ends with what pip said."""
    said = decide(write_wheel(tmp_path / "wheels")[:-4] + "0000").split("FAILED ")[1]
    assert said.startswith("the requirements cannot be installed: pipelines-test-wheel==1.0\n")
    assert "Got" in said


def test_index_requirements_under_network_isolation_fail_at_once(tmp_path: Path) -> None:
    """No pip is started that could only time out."""
    entry = {"mode": "index", "lines": ["no-such-package==1.0"], "index_url": None}
    wanted = RequirementSet.of(entry, tmp_path, isolated=True)
    with pytest.raises(JobError, match=r"no-such-package==1\.0.*network isolation.*mode `wheels`"):
        interpreter(wanted)


def test_a_job_whose_requirements_cannot_be_installed_leaves_the_reason(
    jobs: Jobs, project: Path
) -> None:
    """The index here is a closed port: pip's words and a hint are in the failure file."""
    (project / "train.py").write_text("print('never')")
    result = jobs.training(
        "train.py",
        requirements=["no-such-package==1.0"],
        environment={"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"},
    ).run()
    assert result.exit_code == 1
    assert result.failure is not None
    assert result.failure.startswith(
        "the requirements cannot be installed: no-such-package==1.0\n"
        "The package index cannot be reached"
    )
    assert "never" not in result.log
