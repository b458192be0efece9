"""A project of one's own: the wheel in an environment, and an empty folder.

Two environments see the packages of the one that runs the tests, so that they need no package
index; the third is empty, and gets from the index what the project's README says.
"""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

_NOT_OURS = ("PYTHON", "PYTEST", "COV_", "PIPELINES", "VIRTUAL_ENV")


@dataclass(frozen=True)
class User:
    """Somebody in a folder, with an environment that the wheel is installed in."""

    folder: Path
    environment: Path

    @property
    def python(self) -> str:
        """The environment's Python."""
        return str(self.environment / "bin" / "python")

    def types(self, *words: str) -> str:
        """Run a command in the folder, with nothing of this test run in its environment.

        Raises:
            AssertionError: it did not exit 0.
        """
        environ = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_OURS)}
        ended = subprocess.run(
            words, cwd=self.folder, env=environ, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, f"{words}\n{ended.stdout}{ended.stderr}"
        return ended.stdout

    def inside(self, name: str) -> User:
        """Return the same user one folder further."""
        return User(self.folder / name, self.environment)


@pytest.fixture(scope="module")
def seeing(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment with the wheel that sees the packages of this one."""
    home = tmp_path_factory.mktemp("seeing")
    venv.create(home, symlinks=True)
    user = User(home, home)
    purelib = user.types(
        user.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"
    )
    outer = [path for path in (*site.getsitepackages(), site.getusersitepackages()) if path]
    lines = [f"import site; site.addsitedir({path!r})\n" for path in outer if path in sys.path]
    Path(purelib.strip(), "outer.pth").write_text("".join(lines))
    pip = (sys.executable, "-m", "pip", "--python", user.python)
    quick = ("--no-index", "--no-deps", "--no-compile")  # most modules are not imported
    user.types(*pip, "install", "--quiet", *quick, str(wheel))
    return home


@pytest.fixture
def user(seeing: Path, tmp_path: Path) -> User:
    """Somebody in an empty folder."""
    return User(tmp_path, seeing)


@pytest.fixture
def newcomer(wheel: Path, tmp_path: Path) -> User:
    """Somebody whose environment has the wheel, what the wheel requires, and nothing else."""
    venv.create(tmp_path / "venv", with_pip=True, symlinks=True)
    somebody = User(tmp_path, tmp_path / "venv")
    try:
        somebody.types(somebody.python, "-m", "pip", "install", "--quiet", str(wheel))
    except AssertionError as error:
        if "No matching distribution" in str(error):
            pytest.skip("no package index")
        raise
    return somebody


@pytest.mark.everything
@pytest.mark.timeout(1200)  # of which pip takes most
def test_a_newcomer_follows_the_readme(newcomer: User) -> None:
    """In an empty environment: from init to a live endpoint and pytest, all exit 0."""
    ran, models, approved, invoked = _follow_the_readme(newcomer, installing=True)
    assert "Succeeded in" in ran
    assert "penguins/1" in models
    assert "is live" in approved
    assert _sexes(invoked) == [True, False]


def test_the_commands_of_a_new_projects_readme_succeed(user: User) -> None:
    """As a newcomer's, where the packages that the first one installs are there."""
    ran, models, approved, invoked = _follow_the_readme(user, installing=False)
    assert "Succeeded in" in ran
    assert "penguins/1" in models
    assert "is live" in approved
    assert _sexes(invoked) == [True, False]


def _follow_the_readme(somebody: User, *, installing: bool) -> list[str]:
    """Type its commands; return what `run`, `models`, `approve` and `invoke` said."""
    somebody.types(somebody.python, "-m", "pipelines", "init", "penguins")
    project = somebody.inside("penguins")
    readme = (project.folder / "README.md").read_text()
    block = readme.partition("```console\n")[2].partition("```")[0]
    commands = [line.partition("#")[0].split() for line in block.splitlines()]
    assert [command[:3] for command in commands] == [
        ["python", "-m", "pip"],
        *[["python", "-m", "pipelines"]] * 5,
        ["python", "-m", "pytest"],
    ]
    if installing:
        project.types(project.python, *commands[0][1:])
    said = [project.types(project.python, *command[1:]) for command in commands[1:]]
    return said[1:5]


def _sexes(answer: str) -> list[bool]:
    return [one["male"] for one in json.loads(answer)["predictions"]]


def test_two_spec_files_are_two_pipelines_of_one_project(user: User) -> None:
    """`-f churn.yaml` beside pipeline.yaml: each runs, and both lie in one local SageMaker."""
    user.types(user.python, "-m", "pipelines", "init", "small", "--minimal")
    project = user.inside("small")
    spec = (project.folder / "pipeline.yaml").read_text()
    churn = spec.replace("pipeline: small", "pipeline: churn")
    (project.folder / "churn.yaml").write_text(churn)
    for file in ("pipeline.yaml", "churn.yaml"):
        project.types(project.python, "-m", "pipelines", "validate", "-f", file)
        ran = project.types(project.python, "-m", "pipelines", "run", "-f", file)
        assert "train: Succeeded" in ran
    for file, name, other in (
        ("pipeline.yaml", "small", "churn"),
        ("churn.yaml", "churn", "small"),
    ):
        listed = project.types(project.python, "-m", "pipelines", "status", "--local", "-f", file)
        assert listed.splitlines()[1].split()[1] == name
        assert f"not listed: the pipeline {other}" in listed
    project.types(project.python, "-m", "pytest")


def test_a_package_called_pipelines_is_the_users_own(user: User) -> None:
    """The console script is the tool; the user's scripts and tests import the user's package."""
    own = user.folder / "pipelines"
    own.mkdir()
    (own / "__init__.py").write_text('"""Ours, of long ago."""\n')
    (own / "words.py").write_text('GREETING = "from our own package"\n')
    tool = str(user.environment / "bin" / "pipelines")
    said = user.types(tool, "init", ".", "--name", "mine", "--minimal")
    assert "use the commands `pipelines` and `pytest`" in said

    script = user.folder / "steps" / "features.py"
    text = script.read_text()
    first = "from pathlib import Path\n"
    assert first in text
    imported = f"{first}\nfrom pipelines.words import GREETING\n\nprint(GREETING)\n"
    script.write_text(text.replace(first, imported))
    (user.folder / "tests" / "test_words.py").write_text(
        "from pipelines.words import GREETING\n\n\n"
        "def test_the_name_is_ours() -> None:\n"
        '    assert GREETING == "from our own package"\n'
    )
    user.types(tool, "validate")
    assert "train: Succeeded" in user.types(tool, "run")
    assert "from our own package" in user.types(tool, "logs", "--local", "latest", "features")
    # As the command `pytest` does it: this folder is not put on the path before all others.
    assert "2 passed" in user.types(user.python, "-P", "-m", "pytest", "-q")
