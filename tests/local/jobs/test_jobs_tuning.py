"""A search without processes: what is proposed, and when a tuning job ends."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest

from pipelines.backends.local.jobs.kind import CONTINUES, ChildOrder, JobOrder
from pipelines.backends.local.jobs.spec import JobIdentity, JobRefusedError
from pipelines.backends.local.jobs.states import JobOutcome, JobPhase, JobState, JobStatus
from pipelines.backends.local.jobs.tuning import loop
from pipelines.backends.local.jobs.tuning.loop import TuningLoop
from pipelines.backends.local.jobs.tuning.plan import TuningPlan, read_plan
from pipelines.backends.local.jobs.tuning.ranges import NumberRange
from pipelines.backends.local.jobs.tuning.search import Search
from pipelines.backends.local.settings import LocalSettings
from pipelines.backends.local.state.jobs import JobRecord
from pipelines.json_types import Json, JsonObject

RANGES: JsonObject = {
    "ContinuousParameterRanges": [
        {"Name": "rate", "MinValue": "0.001", "MaxValue": "1", "ScalingType": "Logarithmic"},
        {
            "Name": "decay",
            "MinValue": "0.9",
            "MaxValue": "0.999",
            "ScalingType": "ReverseLogarithmic",
        },
    ],
    "IntegerParameterRanges": [{"Name": "depth", "MinValue": "1", "MaxValue": "9"}],
    "CategoricalParameterRanges": [{"Name": "solver", "Values": ["saga", "lbfgs"]}],
}


def request(strategy: str = "Random", most: int = 6, **config: object) -> JsonObject:
    """Write a request whose objective is `score`, to be as great as possible."""
    return {
        "HyperParameterTuningJobConfig": {
            "Strategy": strategy,
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "score"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": most, "MaxParallelTrainingJobs": 1},
            "ParameterRanges": RANGES,
            **config,
        },
        "TrainingJobDefinition": {
            "AlgorithmSpecification": {},
            "StaticHyperParameters": {"a": "1"},
        },
    }


def plan(strategy: str = "Random", **config: Json) -> TuningPlan:
    """Read such a request."""
    return read_plan(request(strategy, **config), "abc-tune-token")


def proposals(read: TuningPlan, count: int) -> list[dict[str, str]]:
    """Ask for trials in turn, each of which has its depth for a value."""
    search = Search(read, read.definitions[0])
    found = []
    for _ in range(count):
        proposal = search.ask()
        assert proposal is not None
        search.tell(proposal, float(proposal.tuned["depth"]))
        found.append(dict(proposal.tuned))
    return found


@pytest.mark.parametrize("strategy", ["Random", "Bayesian"])
def test_a_search_that_goes_on_proposes_what_it_would_have_proposed(strategy: str) -> None:
    """From the seed and the results alone; another execution searches elsewhere."""
    read = plan(strategy)
    whole = proposals(read, 6)
    search = Search(read, read.definitions[0])
    for tuned in whole[:4]:
        search.remember(tuned, float(tuned["depth"]), is_own=True)
    fifth = search.ask()
    assert fifth is not None
    assert fifth.tuned == whole[4]
    assert proposals(read_plan(request(strategy), "xyz-tune-token"), 6) != whole


@pytest.mark.parametrize("strategy", ["Random", "Bayesian", "Grid"])
def test_a_trial_that_ended_before_an_earlier_one_is_not_repeated(strategy: str) -> None:
    """Of several at once the second may end and the first be cut off: that one is tried again.

    Equal ones count as often as they were tried.
    """
    integers = [{"Name": "depth", "MinValue": "1", "MaxValue": "2"}]
    small: JsonObject = {"IntegerParameterRanges": integers}
    if strategy == "Grid":
        small = {"CategoricalParameterRanges": [{"Name": "depth", "Values": ["1", "2", "3"]}]}
    for ranges in (RANGES if strategy != "Grid" else small, small):
        read = plan(strategy, ParameterRanges=ranges)
        whole = proposals(read, 3)
        search = Search(read, read.definitions[0])
        for tuned in (whole[2], whole[1]):
            search.remember(tuned, float(tuned["depth"]), is_own=True)
        again = search.ask()
        assert again is not None
        tried = [*whole[1:], dict(again.tuned)]
        assert sorted(map(str, tried)) == sorted(map(str, whole))
        following = search.ask()
        assert (following is None) is (strategy == "Grid")


@pytest.mark.parametrize("strategy", ["Random", "Grid"])
def test_chance_and_grids_need_no_optuna(strategy: str) -> None:
    """It is imported where results decide what is tried next, or what is stopped."""
    names = ("CategoricalParameterRanges",) if strategy == "Grid" else tuple(RANGES)
    ranges = {name: RANGES[name] for name in names}
    learning = plan("Bayesian", most=50)
    for read, learns in ((plan(strategy, ParameterRanges=ranges), False), (learning, True)):
        search = Search(read, read.definitions[0])
        first, second = search.ask(), search.ask()
        assert first is not None
        assert second is not None
        assert search._study is None, "the first trials are drawn by chance"
        search.prepare()
        search.tell(first, 0.5)
        assert (search._study is not None) is learns


def test_a_search_that_ends_before_it_would_learn_imports_no_optuna() -> None:
    """The first trials are drawn by chance, and it takes longer to import than they may take."""
    for most, learns in ((2, False), (3, True)):
        children = Children([0.5])
        order = _order(children, request("Bayesian", most=most))
        loop_ = TuningLoop(order, read_plan(order.request, "name"), children)
        assert loop_.run().status is JobStatus.COMPLETED
        assert (loop_._searches[0]._study is not None) is learns


def test_values_stay_in_their_ranges_as_texts() -> None:
    """Whole numbers without a point; what is searched backwards never leaves its bounds."""
    for tuned in proposals(plan(), 20):
        assert 0.001 <= float(tuned["rate"]) <= 1
        assert 0.9 <= float(tuned["decay"]) <= 0.999
        assert 1 <= int(tuned["depth"]) <= 9
        assert tuned["solver"] in {"saga", "lbfgs"}


@pytest.mark.parametrize(
    ("one", "text", "searched"),
    [
        (NumberRange("x", 0.5, 0.75, "ReverseLogarithmic"), "0.75", 0.25),
        (NumberRange("x", 1, 9, is_whole=True), "9", 9),
        (NumberRange("x", 1, 9, is_whole=True), "10", None),
        (NumberRange("x", 1, 9), "many", None),
    ],
)
def test_a_text_is_read_back(one: NumberRange, text: str, searched: float | None) -> None:
    """None of another range, as a parent of a warm start may have had one."""
    assert one.read(text) == searched


@dataclass
class Children:
    """Training jobs that end at once; a score of None is one that ends as `failure`."""

    scores: list[float | None]
    records: list[JobRecord] = field(default_factory=list)
    others: dict[str, list[JobRecord]] = field(default_factory=dict)
    failure: JobStatus = JobStatus.FAILED

    def start(self, order: ChildOrder) -> JobRecord:
        """Begin a job, and end it."""
        score = self.scores[len(self.records) % len(self.scores)]
        reason = "AlgorithmError: no" if score is None else None
        end = JobOutcome(JobStatus.COMPLETED if score is not None else self.failure, reason)
        state = JobState.new(float(order.number)).finished(end, order.number + 1.0)
        metrics = [] if score is None else [{"MetricName": "score", "Value": score}]
        results = {**order.results, "FinalMetricDataList": metrics}
        record = JobRecord("Training", order.name, f"arn/{order.name}", state, order.request, "me")
        record = replace(record, results=results)
        self.records.append(record)
        order.ended(record)
        return record

    def stop(self, job: JobRecord) -> None:
        """Do nothing: it has ended."""

    def amend(self, job: JobRecord, results: JsonObject) -> JobRecord:
        """Return it as it would be."""
        return replace(job, results={**job.results, **results})

    def logs(self, job: JobRecord) -> Path:
        """Return no folder."""
        return Path(job.name)

    def of(self, parent: str) -> list[JobRecord] | None:
        """Return those that have begun, of this tuning job, or of a known one."""
        return self.others.get(parent) if parent != "abc-tune-token" else list(self.records)


class Progress:
    """Nobody watches."""

    def entered(self, phase: JobPhase) -> None:
        """Do nothing."""

    def tick(self) -> None:
        """Do nothing."""


def ended(children: Children, given: JsonObject) -> JobOutcome:
    """Run a tuning job to its end."""
    order = _order(children, given)
    return TuningLoop(order, read_plan(given, order.identity.name), children).run()


def _order(children: Children, given: JsonObject) -> JobOrder:
    identity = JobIdentity("abc-tune-token", "arn:tuning", "folder")
    settings = cast("LocalSettings", None)
    return JobOrder(identity, given, settings, Path(), threading.Event(), Progress(), children)


def test_failures_count_and_do_not_end_a_search() -> None:
    """As the service counts them; the best of the others is named."""
    children = Children([0.5, None, 0.75])
    outcome = ended(children, request(most=6))
    assert outcome.status is JobStatus.COMPLETED
    assert outcome.results is not None
    assert outcome.results["TrainingJobStatusCounters"]["NonRetryableError"] == 2
    assert outcome.results["BestTrainingJob"]["TrainingJobName"] == children.records[2].name
    (note,) = outcome.notes
    first = children.records[1].name
    assert note == f"2 of 6 training jobs failed; the first: {first}: AlgorithmError: no"
    ranked = [one["TrainingJobName"] for one in outcome.results["TrainingJobSummaries"]]
    assert ranked == [children.records[n].name for n in (2, 5, 0, 3)]


def test_five_failures_without_a_success_end_it() -> None:
    """With the service's words, and the first failure."""
    children = Children([None])
    outcome = ended(children, request(most=50))
    assert outcome.status is JobStatus.FAILED
    assert len(children.records) == 5
    assert str(outcome.reason).startswith("No training job succeeded after 5 attempts.")
    cut_off = ended(Children([None], failure=JobStatus.STOPPED), request(most=2))
    assert str(cut_off.reason).endswith("AlgorithmError: no"), "not that no objective was logged"


@pytest.mark.parametrize(
    ("criteria", "count"),
    [
        ({"TargetObjectiveMetricValue": 0.7}, 3),
        ({"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3}}, 6),
        ({}, 8),
    ],
)
def test_a_search_ends_by_its_criteria(criteria: JsonObject, count: int) -> None:
    """At the target, after so many that are not better by 1 %, else at the number of jobs."""
    scores: list[float | None] = [0.5, 0.6, 0.8, 0.801, 0.1, 0.2, 0.3, 0.4]
    children = Children(scores)
    ended(children, request(most=8, TuningJobCompletionCriteria=criteria))
    assert len(children.records) == count


def test_a_warm_start_needs_its_parents() -> None:
    """One that is not there is named."""
    start = {"ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "gone"}]}
    given = {**request(), "WarmStartConfig": {**start, "WarmStartType": "TransferLearning"}}
    with pytest.raises(JobRefusedError, match="there is no tuning job `gone`"):
        ended(Children([1.0]), given)
    outcome = ended(Children([1.0], others={"gone": []}), given)
    assert outcome.status is JobStatus.COMPLETED


def test_the_best_of_a_warm_start_may_be_a_parents() -> None:
    """Where the parents searched the same; the tuning job's own best stands beside it."""
    parent = Children([3.0])
    ended(parent, request(most=1))
    for kind, overall in (("IdenticalDataAndAlgorithm", 3.0), ("TransferLearning", None)):
        start = {"ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "first"}]}
        given = {**request(most=4), "WarmStartConfig": {**start, "WarmStartType": kind}}
        results = ended(Children([1.0], others={"first": parent.records}), given).results or {}
        best = results.get("OverallBestTrainingJob")
        final = best and best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
        assert final == overall
        assert best is None or best["TuningJobName"] == "arn:tuning"
        assert results["BestTrainingJob"]["TrainingJobName"].startswith("abc-tune-token")
        counted = results["TuningJobCompletionDetails"]
        assert counted == {"NumberOfTrainingJobsObjectiveNotImproving": 3}


def test_a_search_that_goes_on_has_the_time_that_was_left() -> None:
    """Its trials have taken a second each; what lay between its attempts counts for nothing."""
    children = Children([0.5])
    ended(children, request(most=5))
    for parallel, begun in ((2, 6), (1, 6)):
        limits = {"MaxRuntimeInSeconds": 5, "MaxNumberOfTrainingJobs": 6}
        given = request(ResourceLimits={**limits, "MaxParallelTrainingJobs": parallel})
        assert ended(children, given).status is JobStatus.COMPLETED
        assert len(children.records) == begun
    del children.records[5:]
    given = request(ResourceLimits={"MaxRuntimeInSeconds": 5, "MaxParallelTrainingJobs": 1})
    assert ended(children, given).status is JobStatus.COMPLETED
    assert len(children.records) == 5


def test_short_trials_do_not_hide_that_a_search_is_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked at limits and requests to stop also where there is always one that has ended."""
    monkeypatch.setattr(loop, "_POLL_SECONDS", 0.0)
    children, looks = Children([0.5]), Looks()
    order = replace(_order(children, request(most=1000)), progress=looks, stop=looks.stop)
    outcome = TuningLoop(order, read_plan(order.request, "name"), children).run()
    assert outcome.status is JobStatus.STOPPED
    assert len(children.records) == 3


class Looks:
    """Finds at the third look that the search is to be stopped."""

    def __init__(self) -> None:
        self.stop, self.count = threading.Event(), 0

    def entered(self, phase: JobPhase) -> None:
        """Do nothing."""

    def tick(self) -> None:
        """Look."""
        self.count += 1
        if self.count == 3:
            self.stop.set()


def test_a_search_has_an_end_and_a_seed_of_its_own() -> None:
    """Later attempts at a step have the seed of the first; what nothing limits is refused."""
    whole = request(most=1)
    first = read_plan(whole, "first").seed
    assert read_plan(whole, "second").seed != first
    assert read_plan({**whole, CONTINUES: ["first", "second"]}, "third").seed == first
    endless = request(TuningJobCompletionCriteria={"ConvergenceDetected": {}}, ResourceLimits={})
    with pytest.raises(JobRefusedError, match="would never end"):
        read_plan(endless, "endless")


def test_what_falls_behind_is_stopped() -> None:
    """Early stopping: at a value below the median of those before it; Hyperband at its end."""
    read = plan(TrainingJobEarlyStoppingType="Auto")
    search = Search(read, read.definitions[0])
    for _ in range(6):
        proposal = search.ask()
        assert proposal is not None
        assert not search.is_hopeless(proposal, [0.5, 0.6])
        search.tell(proposal, 0.6)
    behind = search.ask()
    assert behind is not None
    assert search.is_hopeless(behind, [0.1])
    settings = {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 3}}
    band = plan("Hyperband", StrategyConfig=settings)
    search = Search(band, band.definitions[0])
    first = search.ask()
    assert first is not None
    assert search.is_hopeless(first, [0.1, 0.2, 0.3])
