"""What steps install, against the framework of their image → warnings where it is replaced.

The image's own is built for the instances and their drivers; another one comes from the index at
each start of the job.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pipelines.bundle.collecting import requirement_lines
from pipelines.bundle.need import RequirementsFile
from pipelines.bundle.project import Project
from pipelines.compile.imports import StepCode
from pipelines.diagnostics import Finding, Path, Place, Severity, Span

if TYPE_CHECKING:
    from pipelines.images.frameworks import Framework


def check_frameworks(steps: Iterable[StepCode], project: Project) -> Iterator[Finding]:
    """Find the requirements that bring another version of what the image is there for."""
    for step in steps:
        given = step.need.requirements_file or step.need.vendored
        if given is None and not step.brought.requirements:
            continue
        from pipelines.images.frameworks import frameworks_of  # noqa: PLC0415 - seldom needed

        frameworks = frameworks_of(step.image)
        if given is not None:
            yield from _in_file(step, given, frameworks, project)
        starts = step.need.script or step.need.entry
        for line in step.brought.requirements:
            yield from _findings(step, line, frameworks, starts.at if starts else ("include",))


def _in_file(
    step: StepCode, given: RequirementsFile, frameworks: tuple[Framework, ...], project: Project
) -> Iterator[Finding]:
    content = project.read(given.path)
    for line in requirement_lines(content):
        place = _place(line, content, str(project.root / given.path))
        yield from _findings(step, line, frameworks, given.at, place)


def _findings(
    step: StepCode,
    line: str,
    frameworks: tuple[Framework, ...],
    at: Path,
    place: Place | None = None,
) -> Iterator[Finding]:
    for framework in frameworks:
        if framework.is_replaced_by(line):
            name, version = framework.distribution, framework.version
            yield Finding(
                "SP430",
                f"`{line}` replaces {name} {version} of the image `{step.image_name}`",
                (*step.step, *at),
                help=f"write `{name}` without a version to use the image's own, "
                "or name an image that has the version",
                severity=Severity.WARNING,
                place=place,
            )


def _place(line: str, content: bytes, source: str) -> Place | None:
    """Return where a requirement stands; None where it goes on over several lines."""
    for number, text in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        written = text.split(" #")[0].strip()
        if " ".join(written.split()) == line:
            start = len(text) - len(text.lstrip()) + 1
            return Place(Span(source, number, start, number, start + len(written)), text)
    return None
