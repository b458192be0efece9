from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.testing.errors import JobSetupError
from pipelines.testing.jobs import Jobs

SPEC = """\
spec: 1
pipeline: p
parameters:
  epochs: {type: integer, default: 4}
  rate: {type: float}
  colour: {type: string, enum: [red, green], default: red}
data:
  raw: data/raw
  far: s3://bucket/far/
defaults: {image: sklearn-1.9-cpu}
steps:
  check:
    kind: validation
    inputs: {raw: "${data.raw}"}
    suites: {raw: suite.json}
  features:
    kind: processing
    script: steps/show.py
    inputs: {raw: "${steps.check.raw}", far: "${data.far}"}
    outputs: [rows]
    reports: {quality: quality.json}
    include: [conf/*.yaml]
    arguments: {seed: 7, colour: "${parameters.colour}", run: "r-${execution.id}"}
    environment: {DEBUG: true}
  train:
    kind: training
    image: pytorch-2.13-cpu
    script: steps/show.py
    inputs: {train: "${steps.features.rows}"}
    instance_count: 4
    distribution: {launcher: mpi, processes_per_host: 3}
    hyperparameters: {epochs: "${parameters.epochs}", rate: "${parameters.rate}", name: x}
    metric_definitions: {loss: "loss=([0-9.]+)"}
  evaluate:
    kind: evaluation
    script: steps/show.py
    requirements: needs.txt
    model: ${steps.train.model}
    inputs: {test: "${steps.features.rows}"}
    arguments: {auc: "${steps.features.quality.auc}"}
  good-enough:
    kind: condition
    if: steps.evaluate.report.auc >= 1
    then: [deploy]
  deploy:
    kind: deployment
    group: g
    endpoint: e
    serverless: {memory_size_in_mb: 2048, max_concurrency: 5}
"""

SHOW = """\
import json, os, pathlib, sys
for name, folder in os.environ.items():
    if name.startswith(("SM_CHANNEL_", "SM_MODEL_DIR")):
        files = [p for p in sorted(pathlib.Path(folder).rglob("*")) if p.is_file()]
        print(name, *(p.relative_to(folder) for p in files))
print("ARGV", *sys.argv[1:])
print("DEBUG", os.environ.get("DEBUG"), "CONF", *(p.name for p in pathlib.Path("conf").glob("*")))
print("loss=0.5")
if "SM_OUT_QUALITY" in os.environ:
    pathlib.Path(os.environ["SM_OUT_QUALITY"], "quality.json").write_text('{"auc": 1}')
"""


@pytest.fixture
def jobs(tmp_path: Path, project: Path) -> Jobs:
    """Jobs of a project with a spec, its script and its data."""
    files = {
        "pipeline.yaml": SPEC, "steps/show.py": SHOW, "conf/a.yaml": "", "data/raw/r.csv": "x\n1\n",
        "needs.txt": "pytest\n", "suite.json": '{"expectations": []}',
    }  # fmt: skip
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    return Jobs(tmp_path / "jobs", project, project / "pipeline.yaml")


def change(jobs: Jobs, before: str, after: str) -> None:
    """Change the spec."""
    assert jobs.spec is not None
    text = jobs.spec.read_text()
    assert before in text
    jobs.spec.write_text(text.replace(before, after))


def test_a_processing_step_takes_all_from_the_spec(jobs: Jobs) -> None:
    """Local data through a gate, globs, arguments with parameters, variables, reports."""
    result = jobs.step("features", inputs={"far": {"f.txt": "f"}}, arguments={"run": "r-1"}).run()
    assert result.exit_code == 0, result.log
    lines = result.log.splitlines()
    assert "SM_CHANNEL_RAW r.csv" in lines
    assert "SM_CHANNEL_FAR f.txt" in lines
    assert "ARGV --seed 7 --colour red --run r-1" in lines
    assert "DEBUG true CONF a.yaml" in lines
    assert list(result.outputs) == ["rows", "quality"]
    assert json.loads(result.reports["quality"].read_text()) == {"auc": 1}


def test_a_script_runs_in_its_source_dir(jobs: Jobs, project: Path) -> None:
    """It finds what lies there by relative paths, and modules of it."""
    source = project / "source" / "deep"
    source.mkdir(parents=True)
    (source / "train.py").write_text(
        "import near\nprint('FOUND', open('table.txt').read())\n"
        "import os\nprint(os.environ['SM_USER_ENTRY_POINT'], os.environ['SM_MODULE_DIR'][-12:])\n"
    )
    (source.parent / "near.py").write_text("")
    (source.parent / "table.txt").write_text("1")
    change(
        jobs, "script: steps/show.py\n    inputs: {train", "script: source/deep/train.py\n"
        "    source_dir: source\n    inputs: {train",
    )  # fmt: skip
    inputs = {"train": {"rows.csv": ""}}
    result = jobs.step("train", distribution=None, inputs=inputs, parameters={"rate": 1}).run()
    assert result.exit_code == 0, result.log
    assert "FOUND 1\ndeep/train.py /code/source" in result.log


def test_a_test_may_say_something_else(jobs: Jobs) -> None:
    """Inputs, arguments, variables and parameters of the test go before those of the spec."""
    result = jobs.step(
        "features",
        inputs={"far": {"f.txt": "f"}, "raw": {"other.csv": ""}},
        parameters={"colour": "green"},
        arguments={"run": "r", "seed": -1, "extra": True},
        environment={"DEBUG": "no"},
    ).run()
    lines = result.log.splitlines()
    assert "SM_CHANNEL_RAW other.csv" in lines
    assert "ARGV --seed -1 --colour green --run r --extra true" in lines
    assert "DEBUG no CONF a.yaml" in lines


def test_a_training_step_takes_hyperparameters_and_metrics(jobs: Jobs) -> None:
    """Parameters are their values, as text; a metric is known by its name."""
    result = jobs.step(
        "train",
        inputs={"train": {"rows.csv": ""}},
        parameters={"rate": 1},
        hyperparameters={"name": "y"},
        distribution=None,
    ).run()
    assert "ARGV --epochs 4 --rate 1.0 --name y" in result.log.splitlines()
    assert result.metrics("loss") == result.metrics("loss=([0-9.]+)") == [0.5]
    assert list(result.logs) == ["algo-1"], "the hosts of a test are its own business"


def test_the_launcher_is_that_of_the_step(jobs: Jobs) -> None:
    """Unless the test names another, or none."""
    inputs = {"train": {"rows.csv": ""}}
    options = {"inputs": inputs, "parameters": {"rate": 1}}

    def launcher(**more: object) -> object:
        return jobs.step("train", **options, **more).code.need.distribution  # type: ignore[arg-type]

    assert launcher() == {"launcher": "mpi", "processes_per_host": 3}
    assert launcher(processes_per_host=2) == {"launcher": "mpi", "processes_per_host": 2}
    assert launcher(distribution="torchrun") == {"launcher": "torchrun", "processes_per_host": None}
    assert launcher(distribution=None) is None


def test_an_evaluation_step_takes_the_model_of_a_test(jobs: Jobs) -> None:
    """Packed where the test gives what it holds; the archive itself where it gives that."""
    given = {"inputs": {"test": {"t.csv": ""}}, "arguments": {"auc": 1}}
    job = jobs.step("evaluate", model={"deep/model.txt": "m"}, **given)  # type: ignore[arg-type]
    first = job.run()
    assert "SM_MODEL_DIR deep/model.txt" in first.log, first.log
    assert list(first.outputs) == ["report", "pictures"]
    assert first.reports["report"] == first.outputs["report"] / "evaluation.json"
    archive = job.folder / "algo-1/opt/ml/processing/input/model/model.tar.gz"
    again = jobs.step("evaluate", model=archive, **given).run()  # type: ignore[arg-type]
    assert "SM_MODEL_DIR deep/model.txt" in again.log, again.log


def test_requirements_are_those_of_the_step(jobs: Jobs, project: Path) -> None:
    """The file is read as `compile` reads it, with its messages; a test may give lines instead."""
    (project / "needs.txt").write_text("-r other.txt\n")
    given = {"model": {"m": ""}, "inputs": {"test": {"t.csv": ""}}, "arguments": {"auc": 1}}
    with pytest.raises(JobSetupError, match=r"SP305: `needs.txt` holds `-r other.txt`"):
        jobs.step("evaluate", **given).run()  # type: ignore[arg-type]
    result = jobs.step("evaluate", requirements=[], **given).run()  # type: ignore[arg-type]
    assert result.exit_code == 0, result.log


def test_runs_of_mlflow_stay_in_the_folder_of_the_test(jobs: Jobs, project: Path) -> None:
    """The spec names a server of the account, and whoever tests may have credentials for it."""
    server = "arn:aws:sagemaker:us-east-1:111122223333:mlflow-app/app"
    more = f"    mlflow: {server}\n    tensorboard: {{}}\n"
    (project / "pipeline.yaml").write_text(SPEC.replace("  evaluate:\n", f"{more}  evaluate:\n", 1))
    (project / "steps/show.py").write_text(
        "import os, pathlib\nprint(os.environ['MLFLOW_TRACKING_URI'])\n"
        "pathlib.Path(os.environ['SM_TENSORBOARD_DIR'], 'events').touch()\n"
    )
    job = jobs.step(
        "train", inputs={"train": {"a.csv": ""}}, hyperparameters={"rate": 1}, hosts=1,
        distribution=None,
    )  # fmt: skip
    result = job.run()
    assert result.exit_code == 0, result.log
    assert (job.folder / "mlflow").as_uri() in result.log


def test_what_only_the_test_can_give_is_asked_for(jobs: Jobs) -> None:
    """All at once, with the reference that it stands for."""
    with pytest.raises(JobSetupError) as error:
        jobs.step("evaluate")
    assert str(error.value).splitlines() == [
        "step `evaluate` needs what only the test can give:",
        "  model=… for ${steps.train.model}",
        '  inputs={"test": …} for ${steps.features.rows}',
        '  arguments={"auc": …} for ${steps.features.quality.auc}',
    ]
    with pytest.raises(JobSetupError) as error:
        jobs.step("features")
    assert str(error.value).splitlines()[1:] == [
        '  inputs={"far": …} for s3://bucket/far/',
        '  arguments={"run": …} for r-${execution.id}',
    ]
    with pytest.raises(JobSetupError) as error:
        jobs.step("train", inputs={"train": {"a": ""}})
    assert str(error.value).splitlines()[1:] == [
        '  hyperparameters={"rate": …} for ${parameters.rate}',
    ]


@pytest.mark.parametrize(
    ("step", "options", "said"),
    [
        ("evalaute", {}, r"pipeline.yaml has no step `evalaute`: did you mean `evaluate`\?"),
        ("good-enough", {}, r"step `good-enough` \(condition\) runs no code that a test can start"),
        ("deploy", {}, r"step `deploy` \(deployment\) runs no code that a test can start"),
        ("features", {"inputs": {"rwa": {}}}, r"has no input `rwa`: did you mean `raw`\?"),
        ("features", {"model": {}}, "step `features` takes no model"),
        ("evaluate", {"inputs": {"model": {}}}, "`model` of step `evaluate` is given as model=…"),
        (
            "features",
            {"parameters": {"epoch": 1}},
            r"no parameter `epoch`: did you mean `epochs`\?",
        ),
        (
            "features",
            {"parameters": {"epochs": "1"}},
            "the integer parameter `epochs` cannot be the",
        ),
        (
            "features",
            {"parameters": {"colour": "blue"}},
            "cannot be `blue`: write `red` or `green`",
        ),
        ("features", {"hyperparameters": {}}, "gets arguments, not hyperparameters"),
        ("train", {"arguments": {}}, "gets hyperparameters, not arguments"),
    ],
)
def test_what_a_step_does_not_take_is_refused(
    jobs: Jobs, step: str, options: dict[str, object], said: str
) -> None:
    """With what was probably meant."""
    with pytest.raises(JobSetupError, match=said):
        jobs.step(step, **options)  # type: ignore[arg-type]


def test_an_option_that_no_step_has_is_refused(jobs: Jobs) -> None:
    """`outputs`, say, which are in the spec."""
    with pytest.raises(TypeError, match="there is no option `outputs`: the options are arguments"):
        jobs.step("features", outputs=["rows"])  # type: ignore[call-arg]
    with pytest.raises(
        TypeError, match=r"`arguments\.seed` must be a text, a number or true/false"
    ):
        jobs.step("features", inputs={"far": {}}, arguments={"run": "", "seed": [1]})


def test_errors_of_the_step_are_shown_as_compile_shows_them(jobs: Jobs) -> None:
    """Those of other steps do not matter."""
    change(jobs, "    outputs: [rows]\n", "    ouputs: [rows]\n")
    with pytest.raises(JobSetupError) as error:
        jobs.step("features")
    assert "error[SP102]" in str(error.value)
    assert "did you mean `outputs`?" in str(error.value)
    given = {"model": {"m": ""}, "inputs": {"test": {"t.csv": ""}}, "arguments": {"auc": 1}}
    assert jobs.step("evaluate", **given).run().exit_code == 0  # type: ignore[arg-type]
    change(jobs, "spec: 1\n", "spec: 1\nsetps: {}\n")
    with pytest.raises(JobSetupError, match="did you mean `steps`"):
        jobs.step("evaluate")


def test_without_a_spec_file_a_test_is_told_how_to_name_it(tmp_path: Path, project: Path) -> None:
    """As it is where the file that was named cannot be read."""
    with pytest.raises(JobSetupError, match="name the file by `pipelines_file`"):
        Jobs(tmp_path / "jobs", project).step("features")
    with pytest.raises(JobSetupError, match=r"other\.yaml"):
        Jobs(tmp_path / "jobs", project, project / "other.yaml").step("features")


def test_the_serving_archive_of_a_registration_can_be_made(jobs: Jobs, project: Path) -> None:
    """Its program is the tool's own, and needs no account."""
    (project / "serving").mkdir()
    (project / "serving" / "inference.py").write_text("def model_fn(folder): ...\n")
    change(
        jobs,
        "  deploy:\n",
        "  register:\n    kind: registration\n    group: g\n    model: ${steps.train.model}\n"
        "    serving: {source: serving, image: sklearn-1.9-cpu}\n  deploy:\n",
    )
    result = jobs.step("register", model={"model.onnx": "m"}).run()
    assert result.exit_code == 0, result.log
    assert (result.outputs["model"] / "model.tar.gz").is_file()


@pytest.mark.slow
def test_a_validation_step_runs_its_suites(jobs: Jobs, project: Path) -> None:
    """Broken data fails it, with the reason that the pipeline would show."""
    expectation = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "x"}}
    suite = {"name": "raw", "expectations": [expectation]}
    (project / "suite.json").write_text(json.dumps(suite))
    good = jobs.step("check").run()
    assert good.exit_code == 0, good.log
    assert json.loads(good.reports["report"].read_text())
    broken = jobs.step("check", inputs={"raw": {"r.csv": "x,y\n,1\n"}}).run()
    assert broken.exit_code != 0
    assert "raw: column x: values to not be null" in (broken.failure or "")
    assert f"See {broken.outputs['report']}" in (broken.failure or ""), "nothing is uploaded"
