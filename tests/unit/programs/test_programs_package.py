"""The package program, run in this process as the runtime runs it, with wheels made here."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import pipelines
from pipelines.programs.package.main import main
from pipelines.runtime.archive import unpack
from pipelines.runtime.errors import JobError
from pipelines.runtime.layout import Layout
from tests import older_pythons


def write_wheel(folder: Path, name: str, version: str, requires: tuple[str, ...] = ()) -> None:
    """Write a pure wheel with one module, and a script, into a folder."""
    info = f"{name}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    files = {
        f"{name}.py": f"VERSION = {version!r}\ndef main() -> None: ...\n",
        f"{info}/METADATA": "\n".join([*metadata, *(f"Requires-Dist: {r}" for r in requires), ""]),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name}-tool = {name}:main\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, content in {**files, f"{info}/RECORD": record}.items():
            wheel.writestr(path, content)


class Project:
    """A packaging job: a model, serving code in the working directory, a folder of wheels."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout(root / "opt", "processing")
        self.model = root / "model"
        self.serving = root / "serving"
        self.wheels = root / "wheels"
        for folder in (self.model, self.serving, self.wheels):
            folder.mkdir()
        (self.model / "model.onnx").write_bytes(b"onnx")
        (self.serving / "inference.py").write_text("def model_fn(folder): ...\n")

    @property
    def archive(self) -> Path:
        """Where the package comes out."""
        return self.layout.output("model") / "model.tar.gz"

    def run(self, *lines: str) -> list[str]:
        """Package with these requirements and return the members that are no folders."""
        requirements = {"mode": "wheels", "lines": list(lines), "folder": str(self.wheels)}
        config: dict[str, object] = {"source": "serving", "entry": "inference.py"}
        assert main({**config, "requirements": requirements}, self.layout) == 0
        with tarfile.open(self.archive) as archive:
            return [member.name for member in archive if not member.isdir()]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Return a project whose root is the working directory, its model where the runtime says."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SM_MODEL_DIR", str(tmp_path / "model"))
    return Project(tmp_path)


def test_a_package_holds_the_model_and_the_code_without_requirements_or_bytecode(
    project: Project,
) -> None:
    """`code/requirements.txt` would make the server ask an index while it starts."""
    (project.serving / "requirements.txt").write_text("onnxruntime\n")
    (project.serving / "words").mkdir()
    (project.serving / "words" / "text.py").write_text("")
    (project.serving / "__pycache__").mkdir()
    (project.serving / "__pycache__" / "inference.pyc").write_bytes(b"")
    assert project.run() == ["code/inference.py", "code/words/text.py", "model.onnx"]


RUN = """
import json, pathlib, sys
from pipelines.programs.package.main import main
from pipelines.runtime.layout import Layout
sys.exit(main(json.loads(sys.argv[1]), Layout(pathlib.Path(sys.argv[2]), "processing")))
"""


def test_an_image_with_python_37_makes_its_package(project: Project) -> None:
    """The program runs in the serving image, whose Python is what the framework brought."""
    write_wheel(project.wheels, "demo", "1.0", ("pip>=1",))
    write_wheel(project.wheels, "pip", "99.0")
    requirements = {"mode": "wheels", "lines": ["demo==1.0"], "folder": str(project.wheels)}
    config = {"source": "serving", "entry": "inference.py", "requirements": requirements}
    python, root = older_pythons.interpreter("3.7"), Path(pipelines.__file__).parents[1]
    command = [python, "-B", "-c", RUN, json.dumps(config), str(project.layout.root)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(root)})
    with tarfile.open(project.archive) as archive:
        names = archive.getnames()
    assert "vendor/demo.py" in names
    assert "vendor/pip.py" not in names


@pytest.mark.slow
def test_what_the_image_provides_is_not_vendored_and_the_same_content_gives_the_same_bytes(
    project: Project,
) -> None:
    """A distribution that only came along is dropped where the image's will do; no bin/ either.

    The packaging step is cached by its inputs, and its output feeds the registry.
    """
    write_wheel(project.wheels, "demo", "1.0", ("numpy>=1", "helper"))
    write_wheel(project.wheels, "numpy", "99.0")
    write_wheel(project.wheels, "helper", "2.0")
    members = project.run("demo==1.0")
    assert "vendor/demo.py" in members
    assert "vendor/helper.py" in members
    assert not [name for name in members if "numpy" in name]
    assert not [name for name in members if name.startswith("vendor/bin")]
    assert not [name for name in members if name.endswith(".pyc")]
    first = hashlib.sha256(project.archive.read_bytes()).hexdigest()
    os.utime(project.model / "model.onnx", (1, 1))
    project.run("demo==1.0")
    assert hashlib.sha256(project.archive.read_bytes()).hexdigest() == first


@pytest.mark.slow
def test_what_the_image_has_too_old_is_vendored_and_what_the_user_names(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of what came along only what somebody needs newer, and what that needs in turn.

    Who writes `packaging==99.0` for serving gets it, though the image's would do.
    """
    write_wheel(project.wheels, "demo", "1.0", ("numpy[more]>=90; python_version>'3'", "pytest"))
    write_wheel(project.wheels, "numpy", "99.0", ("pluggy>=98",))
    write_wheel(project.wheels, "pytest", "99.0", ("iniconfig>=98",))
    write_wheel(project.wheels, "pluggy", "99.0")
    write_wheel(project.wheels, "iniconfig", "99.0")
    write_wheel(project.wheels, "packaging", "99.0")
    members = project.run("demo==1.0", "packaging==99.0")
    modules = [name for name in members if name.startswith("vendor/") and name.count("/") == 1]
    assert modules == [f"vendor/{one}.py" for one in ("demo", "numpy", "packaging", "pluggy")]
    told = capsys.readouterr().out
    image = importlib.metadata.version("numpy")
    assert f"numpy: 99.0 is vendored, which hides the image's {image}: demo needs numpy" in told
    assert "pytest: the image's" in told


def test_requirements_that_the_image_meets_need_no_index_and_no_vendoring(
    project: Project,
) -> None:
    """The folder of wheels is empty here."""
    members = project.run(f"numpy=={importlib.metadata.version('numpy')}", "pytest>=1  # any")
    assert members == ["code/inference.py", "model.onnx"]


def test_requirements_may_be_plain_lines_or_none(project: Project) -> None:
    """The compiler writes null where a step has no requirements."""
    for requirements in (None, [], ["numpy"]):
        entry: dict[str, object] = {"source": "serving", "entry": "inference.py"}
        assert main({**entry, "requirements": requirements}, project.layout) == 0


def test_requirements_that_cannot_be_installed_end_with_what_pip_said(project: Project) -> None:
    """The failure names the lines."""
    with pytest.raises(JobError, match="cannot be installed: demo==7") as caught:
        project.run("demo==7")
    assert "No matching distribution found for demo==7" in str(caught.value)


def test_links_inside_the_model_become_files(project: Project) -> None:
    """SageMaker cannot extract an archive with links in it, as Hugging Face's cache makes them."""
    (project.model / "blobs").mkdir()
    (project.model / "blobs" / "1").write_text("weights")
    (project.model / "snapshots").mkdir()
    (project.model / "snapshots" / "weights").symlink_to("../blobs/1")
    (project.model / "latest").symlink_to("snapshots")
    (project.model / "weights").symlink_to("latest/weights")
    os.link(project.model / "blobs" / "1", project.model / "same")
    project.run()
    with tarfile.open(project.archive) as archive:
        assert not any(member.issym() or member.islnk() for member in archive)
        for name in ("snapshots/weights", "latest/weights", "weights", "same"):
            weights = archive.extractfile(name)
            assert weights is not None
            assert weights.read() == b"weights"


def _link_out(project: Project) -> None:
    (project.model / "passwd").symlink_to("../../../../etc/passwd")


def _link_absolute(project: Project) -> None:
    (project.model / "same").symlink_to(project.model / "model.onnx")


def _link_folder(project: Project) -> None:
    (project.model / "etc").symlink_to("/etc")


def _link_circle(project: Project) -> None:
    (project.model / "again").symlink_to(".")


def _link_to_itself(project: Project) -> None:
    (project.model / "itself").symlink_to("itself")


def _link_nowhere(project: Project) -> None:
    (project.model / "gone").symlink_to("nothing")


def _pipe(project: Project) -> None:
    os.mkfifo(project.model / "pipe")


def _serving_link(project: Project) -> None:
    (project.serving / "secret").symlink_to("/etc/hostname")


def _has_code(project: Project) -> None:
    (project.model / "code").mkdir()


def _has_vendor_link(project: Project) -> None:
    (project.model / "vendor").symlink_to("nothing")


def _no_model(project: Project) -> None:
    (project.model / "model.onnx").unlink()


def _no_entry(project: Project) -> None:
    (project.serving / "inference.py").rename(project.serving / "other.py")


def test_odd_names_of_a_model_are_kept(project: Project, tmp_path: Path) -> None:
    """Bytecode, too: it is only left out of serving code, where it would be stale."""
    names = ["-x", "a b'\"$(c)", "line\nbreak", "x" * 200 + "/" + "y" * 200, "模型/ü", "z.pyc"]
    for name in names:
        (project.model / name).parent.mkdir(exist_ok=True)
        (project.model / name).write_text(name)
    project.run()
    into = tmp_path / "unpacked"
    into.mkdir()
    unpack(project.archive, into)
    assert [(into / name).read_text() for name in names] == names


@pytest.mark.parametrize(
    ("arrange", "expected"),
    [
        (_link_out, "`passwd` is a link that leads out of its folder"),
        (_link_absolute, "`same` is a link that leads out of its folder"),
        (_link_folder, "`etc` is a link that leads out of its folder"),
        (_link_circle, "`again` is a circle of links"),
        (_link_nowhere, "`gone` is a broken link"),
        (_link_to_itself, "`itself` is a broken link"),
        (_pipe, "`pipe` is a device, a pipe or a socket"),
        (_serving_link, "`secret` is a link that leads out of its folder"),
        (_has_code, "has a `code/` already"),
        (_has_vendor_link, "has a `vendor/` already"),
        (_no_model, "There is no model"),
        (_no_entry, "The serving code `serving/` has no `inference.py`"),
    ],
)
def test_nothing_from_outside_gets_in_and_what_is_missing_is_named(
    project: Project, arrange: Callable[[Project], None], expected: str
) -> None:
    """No package is written then."""
    arrange(project)
    with pytest.raises(JobError, match=expected):
        project.run()
    assert not project.archive.exists()


def test_a_requirements_file_that_is_left_out_is_told(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    """It lies beside the serving code, and `serving.requirements` names none."""
    (project.serving / "requirements.txt").write_text("onnxruntime\n")
    assert main({"source": "serving", "entry": "inference.py"}, project.layout) == 0
    told = capsys.readouterr().out
    assert "`serving/requirements.txt` is left out, and nothing of this in it is installed" in told
    assert "onnxruntime; name the file as `serving.requirements`" in told


def test_shared_files_get_their_place_beside_the_code(project: Project) -> None:
    """Modules of the project are imported there as they are in its steps."""
    for path in ("steps/clean.py", "src/texts/words.py"):
        Path(path).parent.mkdir(parents=True)
        Path(path).write_text("X = 1\n")
    shared = {"steps/clean.py": "steps/clean.py", "texts/words.py": "src/texts/words.py"}
    config: dict[str, object] = {"source": "serving", "entry": "inference.py", "shared": shared}
    assert main(config, project.layout) == 0
    with tarfile.open(project.archive) as archive:
        names = archive.getnames()
    assert {"code/inference.py", "code/steps/clean.py", "code/texts/words.py"} <= set(names)
