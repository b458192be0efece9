"""`distribution:` of a training step: its keys, what is wrong with them, what they emit."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from pydantic import Field, field_validator, model_validator

from pipelines.diagnostics import Finding, Path, Severity
from pipelines.diagnostics.sentences import quoted
from pipelines.json_types import JsonObject
from pipelines.spec.base import Seldom, ShortFormModel, late
from pipelines.spec.values import FixedText, Text, mistake

MP_PARAMETERS: Final = "mp_parameters"
"""The hyperparameter that SageMaker's model parallel library is configured by (SDK v2 and v3)."""

_SMDDP_TYPES: Final = (
    "ml.p3.16xlarge",
    "ml.p3dn.24xlarge",
    "ml.p4d.24xlarge",
    "ml.p4de.24xlarge",
)
"""SDK v2, `SM_DATAPARALLEL_SUPPORTED_INSTANCE_TYPES`."""
_SMP_FAMILIES: Final = ("p4d", "p4de", "p5", "p5e")
"""The developer guide, distributed-model-parallel-v2 (FACTS 3.1)."""


_OF_THE_RUNTIME: Final = frozenset(
    {"np", "n", "c", "host", "H", "hostfile", "machinefile", "default-hostfile"}
)
"""Options of mpirun by which the runtime says how many processes there are, and where."""


if TYPE_CHECKING:
    from pipelines.kinds.base.model_parallel import ModelParallel
else:
    ModelParallel = late("pipelines.kinds.base.model_parallel", "ModelParallel")


LauncherName: TypeAlias = Literal["torchrun", "mpi", "tensorflow", "smddp", "smp"]


class Distribution(ShortFormModel):
    """How the processes of a distributed job are started."""

    launcher: LauncherName = Field(
        description="torchrun, mpi, tensorflow (TF_CONFIG), or SageMaker's own libraries smddp "
        "and smp, which older images have."
    )
    processes_per_host: int | None = Field(
        None,
        ge=1,
        le=256,
        description="Processes on each host; otherwise its GPUs, its Neuron cores, or 1.",
    )
    strategy: Literal["multi_worker_mirrored", "parameter_server"] | None = Field(
        None,
        description="With `launcher: tensorflow`: which cluster TF_CONFIG describes; "
        "multi_worker_mirrored where nothing is said.",
    )
    custom_mpi_options: FixedText | None = Field(
        None,
        description="With `launcher: mpi` or `smddp`: further options of mpirun, such as "
        "`-x NCCL_DEBUG=INFO --mca btl_base_verbose 30`.",
    )
    mp_parameters: Seldom[ModelParallel] = Field(
        None, description="With `launcher: smp`: the library's configuration."
    )

    @model_validator(mode="before")
    @classmethod
    def _is_not_of_the_sdk(cls, value: object) -> object:
        """Refuse SageMaker's SDK's own mapping, and words of others, with what is written here."""
        word = value.get("launcher") if isinstance(value, dict) else value
        if isinstance(value, dict) and "launcher" not in value:
            from pipelines.kinds.base import sdk_distribution as sdk  # noqa: PLC0415 - as below

            found = sdk.from_mapping(value)
            if found is not None:
                key, means = found
                advice = f"write `{sdk.written(means)}`" if means else "remove `distribution`"
                raise mistake("SP102", f"`{key}` is a key of SageMaker's SDK", advice, below=key)
        elif isinstance(word, str) and word not in get_args(LauncherName):
            from pipelines.kinds.base import sdk_distribution as sdk  # noqa: PLC0415 - few need it

            meant = sdk.from_text(word)
            if meant is not None:
                raise mistake(
                    "SP122", f"`{word}` is not a launcher", f"write `{sdk.written(meant)}`"
                )
        return value

    @field_validator("custom_mpi_options")
    @classmethod
    def _are_options(cls, text: str | None) -> str | None:
        import shlex  # noqa: PLC0415 - few specs have some

        try:
            words = shlex.split(text or "")
        except ValueError:
            message = "`custom_mpi_options` has a quote that is not closed"
            raise mistake("SP122", message, "write the other one, or none") from None
        for word in words:
            if word.lstrip("-").partition("=")[0] in _OF_THE_RUNTIME and word.startswith("-"):
                message = f"`{word}` is set by the job's runtime"
                advice = (
                    "remove it; `instance_count` and `processes_per_host` say how many there are"
                )
                raise mistake("SP122", message, advice)
        if words and not words[0].startswith("-"):
            raise mistake(
                "SP122", f"`{words[0]}` is not an option of mpirun", "begin with an option"
            )
        return text

    @classmethod
    def long_form(cls, text: str) -> JsonObject:
        """Take the text as `launcher`."""
        return {"launcher": text}

    @property
    def in_job(self) -> JsonObject:
        """What the runtime is told."""
        return {key: value for key, value in self.given().items() if key != MP_PARAMETERS}

    @property
    def hyperparameters(self) -> dict[str, str]:
        """The hyperparameters that it adds to the request."""
        if self.launcher != "smp":
            return {}
        given = self.mp_parameters.given() if self.mp_parameters else {}
        return {MP_PARAMETERS: json.dumps(given)}


def distribution_checks(
    given: Distribution, instance_types: Mapping[Path, Text], names: set[str]
) -> Iterator[Finding]:
    """Find what a launcher does not take, and instances that its library is not made for.

    Args:
        given: the key.
        instance_types: the step's instance types, by the path of each; references as they are.
        names: the names of its hyperparameters.
    """
    yield from _foreign_keys(given)
    yield from _shared_gpus(given, instance_types)
    if given.launcher == "smp" and MP_PARAMETERS in names:
        message = f"`{MP_PARAMETERS}` is set by `distribution.{MP_PARAMETERS}`"
        path = ("hyperparameters", MP_PARAMETERS)
        yield Finding("SP130", message, path, at="key", help="keep only one")
    if given.launcher in ("smddp", "smp"):
        yield from _library_checks(given.launcher, instance_types)


def _foreign_keys(given: Distribution) -> Iterator[Finding]:
    owners = {
        "strategy": ("tensorflow",),
        MP_PARAMETERS: ("smp",),
        "custom_mpi_options": ("mpi", "smddp"),
    }
    for key, launchers in owners.items():
        if getattr(given, key) is not None and given.launcher not in launchers:
            message = f"`{key}` is for {quoted(f'launcher: {one}' for one in launchers)}"
            yield Finding("SP130", message, ("distribution", key), at="key", help="remove it")
    path = ("distribution", "processes_per_host")
    if given.launcher == "tensorflow" and (given.processes_per_host or 1) > 1:
        yield Finding(
            "SP130",
            "TensorFlow has one process on each host, which computes on all of its GPUs",
            path,
            help="remove it, and raise `instance_count`; MultiWorkerMirroredStrategy uses the GPUs",
        )
    if given.launcher == "smddp" and given.processes_per_host is not None:
        message = "smddp has one process for each GPU"
        yield Finding("SP130", message, path, at="key", help="remove it")


def _shared_gpus(given: Distribution, instance_types: Mapping[Path, Text]) -> Iterator[Finding]:
    """Find more processes than a host has GPUs: NCCL refuses ranks that share one."""
    if given.processes_per_host is None or given.launcher == "tensorflow":
        return
    from pipelines.images.gpus import gpus_of  # noqa: PLC0415 - few specs say how many

    names = (name for name in instance_types.values() if isinstance(name, str))
    known = [(count, name) for name in names if (count := gpus_of(name)) is not None]
    if not known or given.processes_per_host <= min(known)[0]:
        return
    count, name = min(known)
    has = "1 GPU" if count == 1 else f"{count} GPUs"
    yield Finding(
        "SP130",
        f"`{name}` has {has} for {given.processes_per_host} processes, and NCCL refuses ranks that"
        " share one",
        ("distribution", "processes_per_host"),
        help=f"write {count}{' or less' if count > 1 else ''}, or remove it: there is a process for"
        " each GPU then",
        severity=Severity.WARNING,
    )


def _library_checks(launcher: str, instance_types: Mapping[Path, Text]) -> Iterator[Finding]:
    library = {"smddp": "data parallel", "smp": "model parallel"}[launcher]
    yield Finding(
        "SP422",
        f"SageMaker's {library} library gets no new releases, and newer images do not have it",
        ("distribution",),
        at="key",
        help="`distribution: torchrun` is what is developed further",
        severity=Severity.WARNING,
    )
    for path, name in instance_types.items():
        if isinstance(name, str) and not _is_supported(launcher, name):
            known = _SMDDP_TYPES if launcher == "smddp" else [f"ml.{f}.*" for f in _SMP_FAMILIES]
            message = f"SageMaker's {library} library does not run on `{name}`"
            yield Finding("SP422", message, path, help=f"it runs on {', '.join(known)}")


def _is_supported(launcher: str, instance_type: str) -> bool:
    if launcher == "smddp":
        return instance_type in _SMDDP_TYPES
    return instance_type.removeprefix("ml.").partition(".")[0] in _SMP_FAMILIES
