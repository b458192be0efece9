"""Warnings at imports that will fail in the image."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from pipelines.compile.driver import validate
from pipelines.compile.model import CompileRequest
from pipelines.diagnostics import Diagnostic, Severity, Span

HEAD = """
spec: 1
pipeline: p
aws: {role: "arn:aws:iam::111122223333:role/jobs", bucket: team-bucket}
parameters: {image: {type: string, default: "mine:1"}}
defaults: {image: sklearn-1.9-cpu}
steps:
"""
WORK = "  work: {kind: processing, script: work.py%s}\n"


def _found(folder: Path, steps: str, files: dict[str, str]) -> tuple[Diagnostic, ...]:
    for name, text in {"pipeline.yaml": HEAD + steps, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return validate(CompileRequest(folder / "pipeline.yaml", None, {})).diagnostics


def _missing(folder: Path, steps: str, files: dict[str, str]) -> list[str]:
    """Return the modules that are warned of."""
    found = _found(folder, steps, files)
    assert {(one.code, one.severity) for one in found} <= {("SP408", Severity.WARNING)}
    return [one.message.split("`")[1] for one in found]


def test_the_warning_stands_at_the_import(tmp_path: Path) -> None:
    """In the script's own text, with what is to be done; `path` leads to the step."""
    (found,) = _found(tmp_path, WORK % "", {"work.py": "import os\nimport matplotlib.pyplot\n"})
    assert found == Diagnostic(
        "SP408",
        "`matplotlib` is neither in the image `sklearn-1.9-cpu` nor in the requirements",
        Severity.WARNING,
        Span(str(tmp_path / "work.py"), 2, 8, 2, 25),
        ("steps", "work", "script"),
        "list `matplotlib` in a file, and name the file as `requirements:` of the step",
        "import matplotlib.pyplot",
    )


@pytest.mark.parametrize(
    ("line", "marked"),
    [
        ("import numpy, matplotlib as m", "matplotlib"),
        ("import numpy; from  matplotlib . axes import Axes", "matplotlib"),
        ("x = 'äöü'; import matplotlib", "matplotlib"),
        ("def f(): import matplotlib", "matplotlib"),
        ("\tif 1: import matplotlib", "matplotlib"),
        ("from \\", "from \\"),
    ],
)
def test_the_modules_name_is_underlined(line: str, marked: str, tmp_path: Path) -> None:
    """Columns count characters; where the name is on a later line, the statement is underlined."""
    before = "def g():\n" if line.startswith("\t") else "\n"
    after = "\n  matplotlib import axes\n" if line.endswith("\\") else "\n"
    (found,) = _found(tmp_path, WORK % "", {"work.py": before + line + after})
    assert found.span is not None
    assert found.span.line == 2
    assert line[found.span.column - 1 : found.span.end_column - 1] == marked


def test_the_text_is_read_as_python_reads_it(tmp_path: Path) -> None:
    """By its coding line and with any line ends."""
    script = "# coding: latin-1\r\nx = 'é'; import matplotlib\r\n".encode("latin-1")
    (tmp_path / "work.py").write_bytes(script)
    (found,) = _found(tmp_path, WORK % "", {})
    assert found.excerpt == "x = 'é'; import matplotlib"
    assert found.span == Span(str(tmp_path / "work.py"), 2, 17, 2, 27)


def test_a_module_is_told_once_in_a_file(tmp_path: Path) -> None:
    """However often it is imported there, and by however many steps with the same image."""
    steps = "".join(
        f"  {name}: {{kind: processing, script: {name}.py}}\n" for name in ("one", "two")
    )
    steps += "  three: {kind: processing, script: two.py, image: sklearn-1.2-1}\n"
    shared = "import matplotlib\ndef f():\n    import matplotlib\n"
    files = {"one.py": "import plots", "two.py": "import plots", "plots.py": shared}
    found = _found(tmp_path, steps, files)
    assert [(one.span.line if one.span else 0, one.message.split("`")[3]) for one in found] == [
        (1, "sklearn-1.9-cpu"),
        (1, "sklearn-1.2-1"),
    ]


@pytest.mark.parametrize(
    ("requirements", "missing"),
    [
        ("matplotlib==3.9.*\n", []),
        ("Matplotlib ; python_version > '3'\n", []),
        ("pandas\n", ["matplotlib"]),
        ("pandas[plot]\n", []),
        ("no-such-distribution\n", []),
        ("git+https://example.org/mine.git\n", []),
        ("# matplotlib\n", ["matplotlib"]),
    ],
)
def test_requirements_bring_modules(requirements: str, missing: list[str], tmp_path: Path) -> None:
    """Those that they name and those that these depend on; what is not known is not warned of."""
    files = {"work.py": "import matplotlib", "requirements.txt": requirements}
    assert _missing(tmp_path, WORK % ", requirements: requirements.txt", files) == missing


def test_the_remedy_names_the_distribution_and_the_file(tmp_path: Path) -> None:
    """`sklearn` is installed as scikit-learn."""
    steps = WORK % ", requirements: requirements.txt, image: spark-3.5"
    files = {"work.py": "from sklearn import svm", "requirements.txt": "pandas"}
    (found,) = _found(tmp_path, steps, files)
    assert found.help == "add `scikit-learn` to `requirements.txt`"


@pytest.mark.parametrize(
    ("wheels", "missing"),
    [
        (["matplotlib/__init__.py"], []),
        (["matplotlib.cpython-312-x86_64-linux-gnu.so"], []),
        (["other/__init__.py"], ["matplotlib"]),
        (None, []),
    ],
    ids=["package", "extension", "other", "no wheel"],
)
def test_wheels_tell_what_they_bring(
    wheels: list[str] | None, missing: list[str], tmp_path: Path
) -> None:
    """All that is installed comes from the folder; a source distribution may hold anything."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    (folder / "README.md").write_text("Wheels.", "utf-8")
    if wheels is None:
        (folder / "mine-1.tar.gz").write_bytes(b"")
    else:
        with zipfile.ZipFile(folder / "mine-1-py3-none-any.whl", "w") as wheel:
            for name in wheels:
                wheel.writestr(name, "")
    given = ", requirements: {file: lock.txt, mode: wheels, wheels: wheels/}"
    files = {"work.py": "import matplotlib", "lock.txt": "mine==1 --hash=sha256:00"}
    assert _missing(tmp_path, WORK % given, files) == missing


@pytest.mark.parametrize(
    "image",
    [
        "111122223333.dkr.ecr.us-east-1.amazonaws.com/mine:1",
        "pytorch-2.6-cpu",
        "'${parameters.image}'",
    ],
)
def test_of_an_image_that_is_not_known_nothing_is_said(image: str, tmp_path: Path) -> None:
    """Its packages are recorded nowhere."""
    assert _missing(tmp_path, WORK % f", image: {image}", {"work.py": "import matplotlib"}) == []


@pytest.mark.parametrize(
    ("image", "script", "missing"),
    [
        ("sklearn-1.2-1", "import tomllib", ["tomllib"]),
        ("sklearn-1.0-1", "import zoneinfo", ["zoneinfo"]),
        ("sklearn-0.23-1", "from importlib import metadata", ["importlib.metadata"]),
        ("pytorch-2.0-cpu", "import tomllib", ["tomllib"]),
        ("sklearn-1.9-cpu", "import tomllib, zoneinfo, importlib.metadata", []),
        ("sklearn-1.9-cpu", "import asyncore", ["asyncore"]),
        ("sklearn-1.9-cpu", "import distutils.util", []),  # setuptools has it
        ("sklearn-1.2-1", "import distutils.util, imp, asyncore", []),
        ("pytorch-2.6-cpu", "import asyncore", []),  # a package of the image may have it
        ("sklearn-0.20.0", "import tomllib", []),  # nobody knows its Python
    ],
)
def test_the_images_python_decides_on_the_standard_library(
    image: str, script: str, missing: list[str], tmp_path: Path
) -> None:
    """Not the Python that the tool runs in."""
    assert _missing(tmp_path, WORK % f", image: {image}", {"work.py": script}) == missing


def test_a_backport_counts(tmp_path: Path) -> None:
    """Here the distribution is named as the module that it brings."""
    files = {"work.py": "import asyncore, graphlib", "r.txt": "pyasyncore\ngraphlib-backport\n"}
    given = ", image: xgboost-1.7-1, requirements: r.txt"
    assert _missing(tmp_path, WORK % given, files) == []


def test_what_the_bundle_holds_is_not_missing(tmp_path: Path) -> None:
    """A script may put any folder of the bundle on `sys.path`."""
    files = {
        "work.py": "import sys; sys.path.append('lib')\nimport inner, more",
        "lib/inner.py": "",
    }
    files["lib/more/__init__.py"] = ""
    assert _missing(tmp_path, WORK % "", files) == ["inner", "more"]
    assert _missing(tmp_path, WORK % ", include: [lib/]", files) == []


def test_a_file_included_by_its_name_is_read(tmp_path: Path) -> None:
    """It is meant for this step; a folder or a pattern may hold what other steps run."""
    files = {"work.py": "", "plugins/draw.py": "import matplotlib, other", "plugins/other.py": ""}
    assert _missing(tmp_path, WORK % ", include: [plugins/draw.py]", files) == ["matplotlib"]
    assert _missing(tmp_path, WORK % ", include: [plugins/]", files) == []
    assert _missing(tmp_path, WORK % ", include: ['plugins/*.py']", files) == []
    files["plugins/draw.py"] = "{{ not python }}"
    assert _missing(tmp_path, WORK % ", include: [plugins/draw.py]", files) == []


RUN = "import os, subprocess, sys\n"


@pytest.mark.parametrize(
    "install",
    [
        'subprocess.check_call([sys.executable, "-m", "pip", "install", "matplotlib"])',
        'subprocess.run(["pip", "install", "-q", "matplotlib==3.8"], check=True)',
        'os.system("pip install matplotlib")',
        'os.system(f"{sys.executable} -m pip install matplotlib")',
        'os.system("cd /tmp && /usr/bin/pip3 install matplotlib")',
        'command = "pip install matplotlib".split()',
        'subprocess.run(["pip", "install", "-r", "/opt/ml/input/data/code/requirements.txt"])',
        'subprocess.run(["conda", "install", "-y", "-c", "conda-forge", "matplotlib"])',
        'def add(name):\n    subprocess.run([sys.executable, "-m", "pip", "install", name])',
        'from pip._internal import main as run_pip\nrun_pip(["install", "matplotlib"])',
        'import pip\npip.main(["install", "matplotlib"])',
    ],
)
def test_what_a_script_installs_itself_is_not_missing(install: str, tmp_path: Path) -> None:
    """Written as scripts for SageMaker do it, in the script or in a module that it imports."""
    text = f"{RUN}{install}\nimport matplotlib\n"
    assert _missing(tmp_path, WORK % "", {"work.py": text}) == []
    files = {"work.py": "import added\nimport matplotlib\n", "added.py": f"{RUN}{install}\n"}
    assert _missing(tmp_path, WORK % "", files) == []


@pytest.mark.parametrize(
    "line",
    [
        '"""pip install matplotlib"""',
        'print("please run pip install matplotlib")',
        'subprocess.run(["pip", "list"])',
        'subprocess.run(["pip", "install", "six"])',
        'path = "/opt/pip"',
    ],
)
def test_what_is_only_said_is_not_installed(line: str, tmp_path: Path) -> None:
    """Nor is what a command without it brings."""
    text = f"{RUN}x = 1\n{line}\nimport matplotlib\n"
    assert _missing(tmp_path, WORK % "", {"work.py": text}) == ["matplotlib"]


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ('sys.path.append("/opt/ml/processing/input/code")', ["matplotlib"]),
        ('sys.path.insert(0, os.environ["SM_CHANNEL_CODE"])', ["matplotlib"]),
        ('sys.path += ["/opt/ml/input/data/code"]', ["matplotlib"]),
        ('(sys\n    .path.append("/opt/ml/input/data/code"))', ["matplotlib"]),
        ('import site\nsite.addsitedir("/opt/ml/input/data/code")', ["matplotlib"]),
        ("sys.path.append(os.path.dirname(__file__))", ["matplotlib", "ours"]),
        ('sys.path.append("lib")', ["matplotlib", "ours"]),
    ],
)
def test_a_folder_outside_the_bundle_may_hold_what_no_distribution_does(
    line: str, missing: list[str], tmp_path: Path
) -> None:
    """Code in a channel; a known distribution is not put there."""
    text = f"{RUN}{line}\nimport matplotlib\nimport ours\n"
    assert _missing(tmp_path, WORK % "", {"work.py": text}) == missing


@pytest.mark.parametrize(
    ("image", "text"),
    [
        ("pytorch-2.13-cpu", "import functorch, torchgen, cv2, yaml, sagemaker_training"),
        ("xgboost-3.2-cpu", "from sagemaker_algorithm_toolkit import exceptions\nimport tlz, mlio"),
        ("sklearn-1.9-cpu", "import __main__\nfrom sagemaker_containers.beta import framework"),
        ("tensorflow-2.21-cpu", "import keras, pasta, PIL, horovod, smexperiments, IPython"),
    ],
)
def test_a_distribution_may_bring_several_modules(image: str, text: str, tmp_path: Path) -> None:
    """Those that scripts for the image import."""
    step = WORK % f", image: {image}"
    assert _missing(tmp_path, step, {"work.py": f"{text}\n"}) == []


def test_a_script_that_is_no_python_imports_nothing(tmp_path: Path) -> None:
    """Nor does a built-in program."""
    steps = "  work: {kind: processing, script: work.sh}\n"
    assert _missing(tmp_path, steps, {"work.sh": "import matplotlib\n"}) == []


def test_a_script_in_the_place_of_a_built_in_program_is_read(tmp_path: Path) -> None:
    """It has the image, and not the program's requirements."""
    steps = """
  check:
    kind: validation
    script: check.py
    inputs: {table: s3://team-bucket/table/}
    suites: {table: suite.json}
"""
    files = {
        "check.py": "import great_expectations, pandas",
        "suite.json": '{"name": "s", "expectations": [{"type": "expect_column_to_exist", '
        '"kwargs": {"column": "a"}}]}',
    }
    assert _missing(tmp_path, steps, files) == ["great_expectations"]


SERVING = """
  register:
    kind: registration
    group: g
    model: s3://team-bucket/model.tar.gz
    serving: {source: serving/, image: %s}
"""


@pytest.mark.parametrize(
    ("serving", "missing"),
    [
        ("sklearn-1.9-cpu", ["onnxruntime", "tensorflow"]),
        ("tensorflow-2.20-cpu", ["onnxruntime", "tensorflow"]),
        ("sklearn-1.9-cpu, requirements: needs.txt", ["tensorflow"]),
    ],
)
def test_serving_code_has_the_serving_image(
    serving: str, missing: list[str], tmp_path: Path
) -> None:
    """And `serving.requirements`; TensorFlow Serving comes without TensorFlow."""
    files = {
        "serving/inference.py": "import pandas, onnxruntime, near\n"
        "from near import model_fn, input_handler, output_handler",
        "serving/near.py": "import tensorflow",
        "needs.txt": "onnxruntime",
    }
    found = _found(tmp_path, SERVING % serving, files)
    assert [one.message.split("`")[1] for one in found] == missing
    assert {one.path for one in found} == {("steps", "register", "serving", "entry")}


@pytest.mark.parametrize(
    "script", ["from steps import clean", "import serving.near", "import shared.texts"]
)
def test_serving_code_may_import_what_the_project_has(script: str, tmp_path: Path) -> None:
    """It gets into the archive; what it imports in turn is looked at like the code itself."""
    code = f"{script}\ndef model_fn(model_dir): ..."
    files = {
        "serving/inference.py": code,
        "serving/near.py": "import nowhere_to_be_found",
        "steps/clean.py": "import nowhere_to_be_found",
        "src/shared/texts.py": "import nowhere_to_be_found",
    }
    (found,) = _found(tmp_path, SERVING % "sklearn-1.9-cpu", files)
    assert found.message.startswith("`nowhere_to_be_found` is neither in the image")


def test_an_entry_that_is_no_python_is_not_read(tmp_path: Path) -> None:
    """An image of one's own may serve with anything."""
    serving = "mine/image:1, entry: server.R"
    assert _found(tmp_path, SERVING % serving, {"serving/server.R": "library(plumber)"}) == ()


def test_a_folder_may_have_a_name_that_ends_as_a_scripts(tmp_path: Path) -> None:
    """`include:` brings it, and nothing is read in it."""
    files = {"work.py": "", "tool.py/other.py": "import matplotlib"}
    assert _missing(tmp_path, WORK % ", include: [tool.py]", files) == []
