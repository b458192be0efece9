"""A model archive and what serves it → the cached step that packs them, and the container.

The packed archive goes below `packages/`, written by the role that deploys: code of jobs cannot
replace what is approved (decision 3).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final

from pipelines.bundle.need import CodeNeed, ProjectFile, RequirementsFile
from pipelines.diagnostics import Path
from pipelines.frozen import frozen
from pipelines.grammar.functions import Join, Value
from pipelines.json_types import JsonObject
from pipelines.kinds.base.contract import EmitContext, EmittedStep, ImageNeed, JobNeed, StepNeeds
from pipelines.kinds.base.jobs import ProcessingJob, processing, processing_output, text
from pipelines.kinds.base.sample import ServedSample
from pipelines.kinds.base.serving import (
    Packaging,
    Serving,
    loader_environment,
    server_environment,
)
from pipelines.spec.base import SpecModel
from pipelines.spec.references import Template
from pipelines.spec.steps import Input, JobStep, Requirements

MODEL: Final = "model"
ARCHIVE: Final = "model.tar.gz"
IMAGE: Final = ("serving", "image")
PACKAGING_IMAGE: Final = ("packaging", "image")
PACKAGING_TAKES: Final = ("cache", "retry")
"""Keys of `defaults:` that hold for the step that packs, and the one that sends the sample."""
SAMPLE: Final = "sample"
"""The job that sends the sample; its step is named `<name>-sample`."""


@frozen
class ServedModel:
    """A model as a step of the spec has it.

    Args:
        archive: where the model archive is.
        serving: the code and image that serve it.
        packaging: the job that adds the code to the archive.
        sample: a request that it has to answer, or None.
    """

    archive: Input
    serving: Serving
    packaging: Packaging
    sample: ServedSample | None = None

    def needs(self, instance_type: str | Template | None) -> StepNeeds:
        """Return the images and, where something is added, the program with the serving code."""
        serving = self.serving
        images: dict[Path, ImageNeed] = {
            IMAGE: ImageNeed(serving.image, instance_type, "inference")
        }
        further = self._sample_code()
        if serving.source is None or not serving.packages:
            return StepNeeds(images, further=further)
        if self.packaging.image is not None:
            chosen = self.packaging.image, self.packaging.instance_type
            images[PACKAGING_IMAGE] = ImageNeed(*chosen, "processing")
        path = PurePosixPath(serving.source, serving.entry).as_posix()
        entry = ProjectFile(path, ("serving", "entry"))
        code = CodeNeed(
            "processing",
            program="package",
            config={"source": serving.source, "entry": serving.entry},
            files=(ProjectFile(serving.source, ("serving", "source"), "folder"), entry),
            entry=entry,
            include=tuple(serving.include),
            include_at=("serving", "include"),
            vendored=_requirements(serving.requirements),
            model_input=MODEL,
            outputs=(MODEL,),
        )
        return StepNeeds(images, code, further)

    def _sample_code(self) -> Mapping[str, JobNeed]:
        """Return the bundle of the job that sends the sample, where there is one."""
        if self.sample is None:
            return {}
        file = ProjectFile(self.sample.file, ("sample",))
        code = CodeNeed(
            "processing",
            program="sample",
            config=self.sample.request,
            files=(file,),
            model_input=MODEL,
        )
        return {SAMPLE: JobNeed(IMAGE, code)}

    def packed(self, context: EmitContext) -> Iterator[EmittedStep]:
        """Yield the step `<name>-package`, where something is added to the archive."""
        if not self.serving.packages:
            return
        keys = [key for key in type(self.packaging).model_fields if key != "image"]
        job_step = _job_step(self.packaging, keys, context)
        job = ProcessingJob(
            name=_packaged(context),
            image=context.images.get(PACKAGING_IMAGE, context.images[IMAGE]),
            inputs={MODEL: self.archive},
            outputs=(MODEL,),
            role=context.aws.deploys_as,
            area="packages",
        )
        yield processing(job_step, job, context)

    def asked(self, context: EmitContext) -> Iterator[EmittedStep]:
        """Yield the step `<name>-sample`, where there is a request.

        It runs the model's code, so it has the role of users' code, never that of packaging.
        """
        if self.sample is None:
            return
        archive, sources = self.archive, {}
        if self.serving.packages:
            archive = Input.model_validate({"from": "s3://replaced"})
            sources = {MODEL: processing_output(_packaged(context), MODEL)}
        job_step = _job_step(self.sample, ("instance_type", "max_runtime_in_seconds"), context)
        variables: Mapping[str, Value] = self.container(context).get("Environment", {})
        job = ProcessingJob(
            name=f"{context.name}-{SAMPLE}",
            image=context.images[IMAGE],
            inputs={MODEL: archive},
            sources=sources,
            outputs=(),
            environment=variables,
        )
        yield processing(job_step, job, replace(context, code=context.further[SAMPLE]))

    def container(self, context: EmitContext) -> JsonObject:
        """Return the container: image, archive and environment."""
        serving, image = self.serving, context.images[IMAGE]
        if serving.packages:
            archive: Value = Join("/", (processing_output(_packaged(context), MODEL), ARCHIVE))
            loader = server_environment(serving.entry)
        else:
            archive, loader = self._finished(context), loader_environment(serving, image)
        given = {key: text(value, context) for key, value in serving.environment.items()}
        container: JsonObject = {"Image": image, "ModelDataUrl": archive}
        if loader or given:
            container["Environment"] = {**loader, **given}
        return container

    def _finished(self, context: EmitContext) -> Value:
        """Return the URI of an archive that is complete; an entry of `data:` is a prefix."""
        uri, from_ = context.resolve(self.archive.from_), self.archive.from_
        named = from_.references if isinstance(from_, Template) else ()
        sources = [context.spec.data.get(one.name) for one in named if one.root == "data"]
        path = sources[0].path if sources and sources[0] else None
        return Join("", (uri, PurePosixPath(path).name)) if path else uri


def _job_step(block: SpecModel, keys: Iterable[str], context: EmitContext) -> JobStep:
    """Return what is asked of a job beside the step's own: defaults, and keys of a block."""
    values = {key: getattr(context.spec.defaults, key) for key in PACKAGING_TAKES}
    values |= {key: one for key in keys if (one := getattr(block, key)) is not None}
    return JobStep.of_program(**{key: one for key, one in values.items() if one is not None})


def _packaged(context: EmitContext) -> str:
    return f"{context.name}-package"


def _requirements(given: Requirements | None) -> RequirementsFile | None:
    at = ("serving", "requirements")
    return RequirementsFile(given.file, given.mode, given.wheels, at) if given else None
