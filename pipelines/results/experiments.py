"""What experiments found: the members of their reports, each with its row of the matrix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pipelines.execution.caller import CallRefusedError
from pipelines.frozen import frozen
from pipelines.grammar.functions import text_of
from pipelines.json_types import Json, JsonObject
from pipelines.programs.select.variables import OUTPUT, REPORT
from pipelines.results.source import ResultSource

_SUCCEEDED = "Succeeded"


@frozen
class Experiment:
    """The report of one experiment.

    Args:
        step: the step's name.
        metric: the metric that its members are judged by.
        goal: `maximize` or `minimize`.
        best: the step of the best member.
        members: each as the report has it: `step`, `parameters`, `status`, `metrics`, `seconds`,
            `billed_seconds`, `model`, `reason`.
    """

    step: str
    metric: str
    goal: str
    best: str
    members: tuple[JsonObject, ...]

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of what differs between the members."""
        return tuple(dict.fromkeys(name for one in self.members for name in one["parameters"]))

    @property
    def best_metrics(self) -> dict[str, float]:
        """The metrics of the best member, named as the spec refers to them."""
        member = next((one for one in self.members if one["step"] == self.best), {})
        return {
            f"{self.step}.best.metrics.{name}": float(value)
            for name, value in (member.get("metrics") or {}).items()
            if value is not None
        }

    def texts(self, member: JsonObject) -> tuple[str, ...]:
        """Return what a member was given for each of `parameters`, as its script got it."""
        given = member["parameters"]
        return tuple(text_of(given[one]) if one in given else "" for one in self.parameters)

    def value(self, member: JsonObject) -> float | None:
        """Return the metric of a member; None where it has none."""
        value = member["metrics"].get(self.metric)
        return None if value is None else float(value)


def experiments_in(reports: Mapping[str, Json]) -> tuple[Experiment, ...]:
    """Find the reports of experiments among all reports of an execution."""
    return tuple(found for one in reports.values() if (found := experiment_of(one)) is not None)


def experiment_of(report: Json) -> Experiment | None:
    """Read the report of an experiment; None where it is another report."""
    match report:
        case {
            "experiment": str(step),
            "metric": str(metric),
            "goal": str(goal),
            "best": str(best),
            "members": [*members],
        } if all(map(_is_member, members)):
            return Experiment(step, metric, goal, best, tuple(members))
        case _:
            return None


def experiments_listed(source: ResultSource, steps: Iterable[JsonObject]) -> Iterator[Experiment]:
    """Read the reports of the experiments among the listed steps of an execution.

    Only steps that have members of their name are looked at.
    """
    listed = {str(step["StepName"]): step for step in steps}
    for name, step in listed.items():
        arn = ((step.get("Metadata") or {}).get("ProcessingJob") or {}).get("Arn")
        has_members = any(other.startswith(f"{name}-") for other in listed)
        if not has_members or step["StepStatus"] != _SUCCEEDED or not arn:
            continue
        uri = _report_uri(source, str(arn).rpartition("/")[2])
        found = experiment_of(source.read_json(f"{uri}/{REPORT}")) if uri else None
        if found is not None:
            yield found


def _report_uri(source: ResultSource, job: str) -> str | None:
    try:
        described = source.caller.call(
            "sagemaker", "describe_processing_job", ProcessingJobName=job
        )
    except CallRefusedError as error:
        if error.is_missing or error.is_denied:
            return None
        raise
    outputs = (described.get("ProcessingOutputConfig") or {}).get("Outputs") or ()
    named = {one["OutputName"]: one for one in outputs}
    uri = ((named.get(OUTPUT) or {}).get("S3Output") or {}).get("S3Uri")
    return str(uri).rstrip("/") if uri else None


def _is_member(member: Json) -> bool:
    return (
        isinstance(member, dict)
        and {"step", "status"} <= member.keys()
        and isinstance(member.get("parameters"), dict)
        and isinstance(member.get("metrics"), dict)
    )
