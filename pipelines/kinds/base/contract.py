"""What a kind is: its keys, its outputs, what it needs from the project, the steps it emits.

One module per kind in this package holds one constant `KIND`. The order in which its functions
are asked follows the flow: `outputs` while references are resolved, `needs` while files and
images are looked up, `emit` when everything is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from typing import Literal, TypeAlias

from pipelines.bundle.need import CodeNeed
from pipelines.diagnostics import Finding, Path
from pipelines.frozen import frozen
from pipelines.grammar.functions import Value
from pipelines.json_types import Json, JsonObject
from pipelines.spec.model import Aws, PipelineSpec
from pipelines.spec.references import Template
from pipelines.spec.steps import StepSpec, Trigger

ImageScope: TypeAlias = Literal["training", "inference", "processing"]


@frozen
class Output:
    """What `${steps.NAME.OUTPUT}` stands for.

    Args:
        value: the value of the bare reference; None where only a path below has one.
        members: values of `${steps.NAME.OUTPUT.MEMBER}` for fixed members.
        inner: outputs below it, by name, or by index as those of `${steps.NAME.OUTPUT[0]}`.
        json: (step, property file) when `.a.b[0]` below it reads from a JSON file.
        gates: the key path, below the step, of the reference that this output passes on.
        repeats: the key of the step whose text this output is; a step that stands alone takes it
            from there.
        paths: with `json`, what there is below it, as `metrics.auc`; empty where that is not known.
    """

    value: Value | None = None
    members: Mapping[str, Value] = field(default_factory=dict)
    inner: Mapping[str | int, Output] = field(default_factory=dict)
    json: tuple[str, str] | None = None
    gates: Path | None = None
    repeats: str | None = None
    paths: tuple[str, ...] = ()


@frozen
class ImageNeed:
    """An image name to be resolved for an instance type and a purpose.

    Args:
        name: what the spec calls it.
        instance_type: what decides between a CPU and a GPU image; None where nothing does.
        scope: its purpose.
        runs_on: every instance type that it may get, where there are several.
    """

    name: str | Template | None
    instance_type: str | Template | None
    scope: ImageScope
    runs_on: tuple[str | Template, ...] = ()


@frozen
class JobNeed:
    """A bundle, and the path of the image that it runs in."""

    image: Path
    code: CodeNeed


@frozen
class StepNeeds:
    """What a step asks of the image table and the project.

    Args:
        images: by the key that names them; the first one is what the code runs in.
        code: its bundle.
        further: the bundles of further jobs, each by a name of its own.
    """

    images: Mapping[Path, ImageNeed] = field(default_factory=dict)
    code: CodeNeed | None = None
    further: Mapping[str, JobNeed] = field(default_factory=dict)

    @property
    def jobs(self) -> dict[str, JobNeed]:
        """All bundles with their images, the step's own under an empty name."""
        own = {} if self.code is None else {"": JobNeed(next(iter(self.images), ()), self.code)}
        return {**own, **self.further}


@frozen
class EmitContext:
    """What a step is emitted with.

    Args:
        name: the step's name.
        spec: the whole pipeline.
        resolve: a literal or template of the step → the value in the definition.
        images: the resolved images, under the paths of `Needs.images`.
        code: S3 URI of the step's bundle; None without code.
        further: S3 URIs of its further bundles, by name.
        cacheable: False where an input's content can change under its URI (decision 4).
        origin: the name of the pipeline that the file names; another one may hold some of its
            steps.
    """

    name: str
    spec: PipelineSpec
    resolve: Callable[[Json], Value]
    images: Mapping[Path, Value]
    code: str | None
    cacheable: bool = True
    further: Mapping[str, str] = field(default_factory=dict)
    origin: str = ""

    @property
    def aws(self) -> Aws:
        """The account, or placeholders when the spec names none."""
        return self.spec.aws or Aws()


@frozen
class EmittedStep:
    """One step of the definition, functions still as values.

    Args:
        name: unique in the pipeline.
        type: the SageMaker step Type.
        arguments: `Arguments`.
        extra: other keys of the step, such as `PropertyFiles` and `CacheConfig`.
        branches: for a Condition, the names of the spec's steps in `IfSteps` and `ElseSteps`.
        parameters: reserved String parameters of the pipeline that it reads, with their defaults.
        requests: what its program will ask of the service, as arguments of the Types that do the
            same; they are checked like these, and are no part of the definition.
        contested: members of the step's `extra:` that the step sets by itself, as paths below it.
        after: what it waits for besides, each with its trigger; the first one waits for the
            `after:` of the spec's step anyway.
    """

    name: str
    type: str
    arguments: JsonObject
    extra: JsonObject = field(default_factory=dict)
    branches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    requests: Mapping[str, JsonObject] = field(default_factory=dict)
    contested: tuple[Path, ...] = ()
    after: Mapping[str, Trigger] = field(default_factory=dict)


def _no_outputs(_name: str, _step: StepSpec) -> Mapping[str, Output]:
    return {}


def _no_needs(_name: str, _step: StepSpec) -> StepNeeds:
    return StepNeeds()


def _no_checks(_step: StepSpec) -> Iterator[Finding]:
    return iter(())


def _nowhere_else(_name: str, _step: StepSpec) -> tuple[str, ...]:
    return ()


def _as_it_is(step: StepSpec, _copy: str) -> StepSpec:
    return step


StepModel: TypeAlias = type[StepSpec]


@frozen
class Kind:
    """One word of the spec's `kind:`.

    Args:
        model: the pydantic model of its keys, or of those that `model_of` always has.
        type: the SageMaker Type of the step that carries the spec step's own name.
        summary: one line for the reference.
        emit: the steps it becomes; the one named like the spec's step comes last.
        outputs: what others may refer to.
        needs: images and code.
        checks: what the model cannot say; paths are relative to the step.
        stands_alone: the suffixes of the further pipelines that a step, by its name, is in.
        copied: a step → that of a copy of this name (`--as`), beside the names that it makes.
        makes: what they make that outlives an execution, `endpoint` or `model-package-group`, and
            the key that names it.
        uses: what they use by its name, likewise.
        example: a step of this kind with its name, as it stands below `steps:`.
        further: the Types of the other steps that it becomes.
        type_key: the key that names the Type where the user does; `type` is empty then.
        with_keys: the keys of a step → `model` and those of them that have modules of their own;
            None → `model` and all such keys.
    """

    model: StepModel
    type: str
    summary: str
    emit: Callable[[Json, EmitContext], tuple[EmittedStep, ...]]
    outputs: Callable[[str, Json], Mapping[str, Output]] = _no_outputs
    needs: Callable[[str, Json], StepNeeds] = _no_needs
    checks: Callable[[Json], Iterator[Finding]] = _no_checks
    stands_alone: Callable[[str, Json], tuple[str, ...]] = _nowhere_else
    copied: Callable[[Json, str], StepSpec] = _as_it_is
    makes: Mapping[str, str] = field(default_factory=dict)
    uses: Mapping[str, str] = field(default_factory=dict)
    example: str = ""
    further: tuple[str, ...] = ()
    type_key: str | None = None
    with_keys: Callable[[frozenset[str] | None], StepModel] | None = None

    def model_of(self, step: Iterable[str] | None = None) -> StepModel:
        """Return the model for a step with these keys; without a step that of all keys."""
        if self.with_keys is None:
            return self.model
        return self.with_keys(None if step is None else frozenset(step))

    def type_of(self, step: StepSpec) -> str:
        """Return the Type of the step that carries the spec step's own name."""
        return self.type if self.type_key is None else str(getattr(step, self.type_key))
