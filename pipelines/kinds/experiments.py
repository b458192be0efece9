"""`kind: experiments`: a training for each combination of a matrix, and the best of them.

Emits one Training step for each member, chained so that at most `max_parallel` run at once, and a
Processing step of the step's own name whose program reads what became of them: nothing can be
referred to in a step that failed. It is never cached; the members are like any training.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Final, Literal

from pydantic import Field

from pipelines.bundle.need import CodeNeed
from pipelines.diagnostics import Finding, Path, Severity
from pipelines.diagnostics.nearest import nearest
from pipelines.grammar.functions import Get, Join
from pipelines.kinds import training
from pipelines.kinds.base.contract import (
    EmitContext,
    EmittedStep,
    ImageNeed,
    JobNeed,
    Kind,
    Output,
    StepNeeds,
)
from pipelines.kinds.base.jobs import (
    ProcessingJob,
    PropertyFileOutput,
    processing,
    processing_output,
)
from pipelines.kinds.base.matrix import KEYS, LISTS, Matrix, Row, member_name, rows
from pipelines.kinds.base.training import training_checks
from pipelines.programs.select.variables import BEST, EXECUTION, OUTPUT, REPORT
from pipelines.spec.base import SpecModel
from pipelines.spec.members import RequestMember
from pipelines.spec.steps import JobStep, Trigger
from pipelines.spec.values import FixedText, scalar_text

SELECT: Final = "select"
_IMAGE: Final = ("selection", "image")
_LONGEST_TITLE: Final = 256


class Best(SpecModel):
    """Which member is the best."""

    metric: FixedText = Field(description="The name of one of `metric_definitions`.")
    goal: Literal["maximize", "minimize"] = Field(description="maximize or minimize.")


class Selection(SpecModel):
    """The job that reads the results of the members."""

    image: Annotated[FixedText, RequestMember("AppSpecification.ImageUri")] = Field(
        "sklearn-1.9-cpu", description="Its image; it needs boto3."
    )
    instance_type: Annotated[FixedText, RequestMember("ClusterConfig.InstanceType")] = Field(
        "ml.t3.medium", description="Its instance."
    )


_TYPE: Path = ("instance_type",)


class ExperimentsStep(training.TrainingStep):
    """A training for each combination of a matrix; those that fail do not end the others."""

    kind: Literal["experiments"]  # type: ignore[assignment]  # the keys are training's
    matrix: Annotated[
        Matrix,
        RequestMember(
            "HyperParameters",
            "ResourceConfig.InstanceType",
            "AlgorithmSpecification.TrainingImage",
            second=True,
        ),
    ] = Field(
        description="Values by hyperparameter, by `instance_type` or `image`: a member for each "
        "combination, without those that match an entry of `exclude`. An entry of `include` is "
        "added to the combinations that have its values, or is one more member."
    )
    best: Best = Field(description="The metric that the members are judged by.")
    max_parallel: int = Field(2, ge=1, description="Members that run at once, at most.")
    fail_fast: bool = Field(
        False,  # noqa: FBT003 - pydantic's default stands first
        description="A member that fails ends the execution: no further one is started.",
    )
    selection: Selection = Field(
        default_factory=Selection, description="The job that reads the results."
    )


def outputs(name: str, step: ExperimentsStep) -> Mapping[str, Output]:
    """`best.model`, `best.metrics.NAME`, `best.parameters.NAME`; `report`, all members, JSON."""
    metrics = (f"metrics.{metric}" for metric in step.metric_definitions if _is_plain(metric))
    keys = (f"parameters.{key}" for key in _common(step) if _is_plain(key))
    paths = ("model", "step", "job", *metrics, *keys)
    return {
        "best": Output(json=(name, "best"), paths=paths),
        "report": Output(Join("/", (processing_output(name, OUTPUT), REPORT)), json=(name, OUTPUT)),
    }


def _common(step: ExperimentsStep) -> Iterator[str]:
    """Yield the entries of the matrix of which every member has a value, whichever is the best."""
    found = rows(step.matrix)
    for key in dict.fromkeys(key for row in found for key in row):
        if key in KEYS or key in step.hyperparameters or all(key in row for row in found):
            yield key


def _is_plain(name: str) -> bool:
    """Return whether a path of JSON can name it: a point begins a name below."""
    return "." not in name


def _member(step: ExperimentsStep, row: Row) -> training.TrainingStep:
    """Return the training step of one row: `instance_type` and `image` are keys of the step."""
    own = {key: value for key, value in row.items() if key in KEYS}
    given = {key: value for key, value in row.items() if key not in KEYS}
    parameters = {**step.hyperparameters, **given}
    return step.model_copy(update={**own, "hyperparameters": parameters})


def _image_path(step: ExperimentsStep, row: Row) -> Path:
    """Return where the image of a row is needed; one that depends on the instance is needed anew.

    What follows the key is not written there, so that a finding is placed at the key.
    """
    at: Path = ("matrix", "image", str(row["image"])) if "image" in row else ("image",)
    return (*at, str(row["instance_type"])) if "instance_type" in row and step.image else at


def needs(name: str, step: ExperimentsStep) -> StepNeeds:
    """The images of the members, each with the script's bundle, and that of the selection."""
    images: dict[Path, ImageNeed] = {}
    further: dict[str, JobNeed] = {}
    code = _code(name, step)
    for row in rows(step.matrix):
        member, path = _member(step, row), _image_path(step, row)
        images.setdefault(path, training.needs(name, member).images["image",])
        if code is not None:
            further.setdefault(str(member.image), JobNeed(path, code))
    further = dict(list(further.items())[1:])  # the first image is the one of the step's own code
    images[_IMAGE] = ImageNeed(step.selection.image, step.selection.instance_type, "processing")
    further[SELECT] = JobNeed(_IMAGE, _selection_code(name, step))
    return StepNeeds(images, code, further)


def _code(name: str, step: ExperimentsStep) -> CodeNeed | None:
    """Return the bundle of the members, of which one that is done trains anew where others go on.

    The selection compares the members of one execution, and a job that is refused has no result.
    """
    code = training.needs(name, step).code
    if code is None or code.checkpoints is None or code.checkpoints["resumes"] is None:
        return code
    return replace(code, checkpoints={**code.checkpoints, "anew": True})


def _selection_code(name: str, step: ExperimentsStep) -> CodeNeed:
    members = [
        {"step": member, "parameters": [list(pair) for pair in row.items()]}  # in their order
        for member, row in _members(name, step).items()
    ]
    return CodeNeed(
        "processing",
        program="select",
        config={
            "step": name,
            "metric": step.best.metric,
            "goal": step.best.goal,
            "members": members,
        },
        requirements=("boto3",),
        outputs=(OUTPUT,),
        account=True,
    )


def _members(name: str, step: ExperimentsStep) -> dict[str, Row]:
    """Return the rows by the names of their steps."""
    return {member_name(name, row): row for row in rows(step.matrix)}


def checks(step: ExperimentsStep) -> Iterator[Finding]:
    """What holds for a training, and the metric is one that there is."""
    yield from _training_checks(step)
    known = step.metric_definitions
    if step.best.metric not in known and (known or step.script is not None):
        close = nearest(step.best.metric, tuple(known))
        listed = f"known are {', '.join(known)}" if known else "add it under `metric_definitions`"
        yield Finding(
            "SP130",
            f"no entry of `metric_definitions` gives `{step.best.metric}`",
            ("best", "metric"),
            help=f"did you mean `{close}`?" if close else listed,
        )
    if step.instance_groups and "instance_type" in step.matrix:
        message = "`instance_type` has no effect beside `instance_groups`"
        path = ("matrix", "instance_type")
        yield Finding("SP130", message, path, at="key", help="remove one of them")
    members = rows(step.matrix)
    for key in step.hyperparameters:
        if all(key in row for row in members):
            message = f"`{key}` has no effect: every row of the matrix has its own"
            yield Finding(
                "SP130", message, ("hyperparameters", key), "key", "remove one of them",
                severity=Severity.WARNING,
            )  # fmt: skip
    for key in step.matrix:
        if key in ExperimentsStep.model_fields and key not in (*KEYS, *LISTS):
            message = f"`{key}` is a hyperparameter here, and not the key of the step"
            advice = f"only {' and '.join(f'`{one}`' for one in KEYS)} are keys in a matrix"
            path = ("matrix", key)
            yield Finding("SP130", message, path, "key", advice, severity=Severity.WARNING)


def _training_checks(step: ExperimentsStep) -> Iterator[Finding]:
    """What holds for a training; of instance types in the matrix, for each of them."""
    types = dict.fromkeys(
        row["instance_type"] for row in rows(step.matrix) if "instance_type" in row
    )
    for found in training_checks(step):
        if not types or found.path != _TYPE:
            yield found
    for one in types:
        for found in training_checks(step.model_copy(update={"instance_type": one})):
            if found.path == _TYPE:
                yield replace(found, path=("matrix", *_TYPE))


def emit(step: ExperimentsStep, context: EmitContext) -> tuple[EmittedStep, ...]:
    """The members, each after one of those before it, and the selection after all of them."""
    members = _members(context.name, step)
    names = tuple(members)
    emitted = [
        replace(_emit_member(step, context, name), after={**step.after, **waits})
        for name, waits in _chained(names, step).items()
    ]
    return (*emitted, _emit_selection(step, context, names))


def _chained(names: tuple[str, ...], step: ExperimentsStep) -> dict[str, dict[str, Trigger]]:
    """Return what each member waits for: the service bounds parallel steps per execution only.

    Each of `max_parallel` chains goes on whatever became of a member. With `fail_fast` a member
    waits for all that were started together before it.
    """
    width = step.max_parallel
    if step.fail_fast:
        starts = (index - index % width for index in range(len(names)))
        before = [names[max(0, start - width) : start] for start in starts]
        return {n: dict.fromkeys(b, "completed") for n, b in zip(names, before, strict=True)}
    return {
        name: {names[index - width]: "any"} if index >= width else {}
        for index, name in enumerate(names)
    }


def _emit_member(step: ExperimentsStep, context: EmitContext, name: str) -> EmittedStep:
    row = _members(context.name, step)[name]
    member = _member(step, row)
    image = context.images[_image_path(step, row)]
    code = context.further.get(str(member.image), context.code)
    own = replace(context, name=name, images={("image",): image}, code=code)
    (emitted,) = training.emit(member, own)
    shown = ", ".join(f"{key} {scalar_text(value)}" for key, value in row.items())
    title = f"{step.display_name or context.name}: {shown}"
    return replace(emitted, extra={**emitted.extra, "DisplayName": title[:_LONGEST_TITLE]})


def _emit_selection(
    step: ExperimentsStep, context: EmitContext, names: tuple[str, ...]
) -> EmittedStep:
    """The job that reads the members; it runs anew in each execution."""
    chosen = JobStep.of_program(
        instance_type=step.selection.instance_type, max_runtime_in_seconds=3600
    )
    job = ProcessingJob(
        name=context.name,
        image=context.images[_IMAGE],
        inputs={},
        outputs=(OUTPUT,),
        property_files=(
            PropertyFileOutput("best", OUTPUT, BEST),
            PropertyFileOutput(OUTPUT, OUTPUT, REPORT),
        ),
        environment={EXECUTION: Get("Execution.PipelineExecutionArn")},
    )
    own = replace(context, code=context.further.get(SELECT))
    trigger: Trigger = "completed" if step.fail_fast else "any"
    emitted = processing(chosen, job, own)
    return replace(emitted, after=dict.fromkeys(names, trigger))


_EXAMPLE = """\
sweep:
  kind: experiments
  image: sklearn-1.9-cpu
  script: steps/train.py
  inputs:
    train: ${data.flights}
  matrix:
    rate: [0.1, 0.3]
    depth: [2, 4]
    exclude:
      - {rate: 0.3, depth: 4}
  max_parallel: 2
  metric_definitions:
    score: 'score=([0-9.]+)'
  best: {metric: score, goal: maximize}
"""

KIND = Kind(
    ExperimentsStep,
    "Processing",
    "Train once for each combination of a matrix, several at a time, and choose the best.",
    emit,
    outputs,
    needs,
    checks,
    example=_EXAMPLE,
    further=("Training",),
)
