"""What the steps of an execution wrote, and where it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject
from pipelines.programs.deploy.variables import OUTPUT, PREDICTIONS, STEP
from pipelines.results.run import ExecutionResult, StepResult
from pipelines.results.source import ResultSource, StoredFile

OutputSort: TypeAlias = Literal["report", "model", "pages", "pictures", "data"]

PICTURES: Final = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg"})
PAGES: Final = frozenset({".html", ".htm"})
_MODELS: Final = (".tar.gz", ".onnx")
_INDEX: Final = "index.html"


@frozen
class Output:
    """One output of a step.

    Args:
        step: the step's name.
        name: the output's own.
        uri: where it is.
        files: the objects there.
        report: the URI of the JSON file in it that the pipeline reads; None where it has none.
        reused_from: the id of the execution that wrote it; None where this one did.
    """

    step: str
    name: str
    uri: str
    files: tuple[StoredFile, ...]
    report: str | None = None
    reused_from: str | None = None

    @property
    def address(self) -> str:
        """What a command names it by: `evaluate.report`."""
        return f"{self.step}.{self.name}"

    @property
    def size(self) -> int:
        """The bytes of all of its files."""
        return sum(file.size for file in self.files)

    @property
    def sort(self) -> OutputSort:
        """What it holds."""
        if self.report is not None:
            return "report"
        if any(file.name.endswith(_MODELS) for file in self.files):
            return "model"
        suffixes = {file.suffix for file in self.files}
        if suffixes & PAGES:
            return "pages"
        return "pictures" if suffixes & PICTURES else "data"

    @property
    def face(self) -> StoredFile | None:
        """The file that shows it: the page that leads to the others, a picture, or the report."""
        for file in self.files:
            if file.name == _INDEX or file.uri == self.report:
                return file
        shown = [file for file in self.files if file.suffix in PAGES | PICTURES]
        return next(iter(shown or self.files), None)

    @property
    def place(self) -> str:
        """Where it can be opened: the one file, or the folder; its URI in an account."""
        face = self.face
        if face is None:
            return self.uri
        if len(self.files) == 1 or self.sort == "pages":
            return face.place
        if face.path is None:
            return self.uri
        return str(face.path).removesuffix(face.name).rstrip("/")

    @property
    def pictures(self) -> tuple[StoredFile, ...]:
        """Its files that are pictures."""
        return tuple(file for file in self.files if file.suffix in PICTURES)


def outputs_of(source: ResultSource, run: ExecutionResult) -> tuple[Output, ...]:
    """List the outputs of all steps of an execution, in the order in which the steps began."""
    return tuple(output for step in run.steps for output in _of_step(source, step))


def reports_of(source: ResultSource, outputs: tuple[Output, ...]) -> dict[str, Json]:
    """Read the reports among outputs: address → content; what is not JSON is left out."""
    named = ((one.address, one.report) for one in outputs if one.report is not None)
    read = {address: source.read_json(uri) for address, uri in named}
    return {address: report for address, report in read.items() if report is not None}


def _of_step(source: ResultSource, result: StepResult) -> Iterator[Output]:
    reports = _reports(result)
    for name, uri in _places(result):
        if isinstance(uri, str) and uri.startswith("s3://"):
            file = reports.get(name)
            report = None if file is None else f"{uri.rstrip('/')}/{file}"
            found = source.files(uri)
            yield Output(result.name, name, uri, found, report, result.reused_from)


def _places(result: StepResult) -> Iterator[tuple[str, Json]]:
    """Yield name and URI of what a step writes; the results of a batch are its job's, not its own.

    They stand in its environment: it is another job, which it has started, that writes them.
    """
    for place in result.type.outputs if result.type is not None else ():
        for name, entry in place.entries(result.described):
            yield name, place.uri_of(entry)
    environment = result.described.get("Environment")
    if isinstance(environment, dict) and STEP in environment:
        yield PREDICTIONS, environment.get(OUTPUT)


def _reports(result: StepResult) -> dict[str, str]:
    """Return the JSON files that a definition reads: output → path below it."""
    whole: JsonObject = result.step.whole if result.step is not None else {}
    listed = whole.get("PropertyFiles") or ()
    return {one["OutputName"]: one["FilePath"] for one in listed if isinstance(one, dict)}
