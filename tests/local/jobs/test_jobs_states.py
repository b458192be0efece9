"""The states of a job as a machine: which follow on which, and what is recorded of them."""

from __future__ import annotations

from itertools import product

import pytest

from pipelines.backends.local.jobs.states import (
    OPEN,
    JobOutcome,
    JobPhase,
    JobState,
    JobStateError,
    JobStatus,
)

ENDS = [status for status in JobStatus if status not in OPEN]


def at(status: JobStatus) -> JobState:
    """Return a job that has this status at time 5."""
    running = JobState.new(1.0).entered(JobPhase.RUNNING, 3.0)
    match status:
        case JobStatus.IN_PROGRESS:
            return running
        case JobStatus.STOPPING:
            return running.stopping(4.0)
        case _:
            return running.finished(JobOutcome(status), 5.0)


def test_a_job_goes_through_its_phases_and_each_ends_where_the_next_begins() -> None:
    """SecondaryStatusTransitions, in the service's words."""
    state = JobState.new(1.0)
    phases = [one for one in JobPhase if one is not JobPhase.INTERRUPTED]
    for second, phase in enumerate(phases[1:], start=2):
        state = state.entered(phase, float(second))
    state = state.finished(JobOutcome(JobStatus.COMPLETED), 9.0)
    assert [(one.status, one.started, one.ended) for one in state.transitions] == [
        ("Starting", 1.0, 2.0),
        ("Downloading", 2.0, 3.0),
        ("Training", 3.0, 4.0),
        ("Uploading", 4.0, 9.0),
        ("Completed", 9.0, 9.0),
    ]
    assert (state.created, state.started, state.ended, state.modified) == (1.0, 3.0, 9.0, 9.0)


def test_what_is_current_has_no_end() -> None:
    """A client shows the last transition as what is happening now."""
    shown = [
        one.described() for one in JobState.new(1.0).entered(JobPhase.RUNNING, 3.0).transitions
    ]
    assert [one.get("EndTime") for one in shown] == [3.0, None]
    assert all(one["StatusMessage"] for one in shown)


def test_a_job_that_is_being_stopped_shows_no_other_phase() -> None:
    """What it still does, such as storing its model, is part of Stopping."""
    state = at(JobStatus.STOPPING).entered(JobPhase.UPLOADING, 5.0)
    assert (state.status, state.secondary, state.modified) == ("Stopping", "Stopping", 5.0)


def test_asking_twice_for_the_end_changes_nothing() -> None:
    """The second request neither moves the time nor adds a transition."""
    once = at(JobStatus.STOPPING)
    assert once.stopping(9.0) == once


@pytest.mark.parametrize(("before", "end"), [*product(sorted(OPEN), ENDS)])
def test_an_open_job_may_end_in_every_way(before: JobStatus, end: JobStatus) -> None:
    """A job may complete although somebody has just asked for its end."""
    assert at(before).finished(JobOutcome(end), 9.0).status == end


@pytest.mark.parametrize("ended", ENDS)
def test_a_job_that_has_ended_changes_no_more(ended: JobStatus) -> None:
    """Neither by itself nor on request."""
    state = at(ended)
    with pytest.raises(JobStateError, match=f"is {ended} cannot become Stopping"):
        state.stopping(9.0)
    with pytest.raises(JobStateError):
        state.entered(JobPhase.UPLOADING, 9.0)
    with pytest.raises(JobStateError):
        state.finished(JobOutcome(JobStatus.COMPLETED), 9.0)


@pytest.mark.parametrize("status", sorted(OPEN))
def test_an_open_status_is_no_end(status: JobStatus) -> None:
    """It would never end."""
    with pytest.raises(JobStateError, match="is not the end of a job"):
        JobState.new(1.0).finished(JobOutcome(status), 2.0)


def test_a_job_cut_off_by_its_limit_says_so_below_stopped() -> None:
    """The status is Stopped, the secondary status MaxRuntimeExceeded, with a reason."""
    end = JobOutcome(JobStatus.STOPPED, "too long", secondary="MaxRuntimeExceeded")
    state = JobState.new(1.0).finished(end, 2.0)
    assert (state.status, state.secondary, state.reason) == (
        "Stopped",
        "MaxRuntimeExceeded",
        "too long",
    )


def test_an_interrupted_job_began_when_it_trained_first() -> None:
    """On spot capacity it starts again; its start is what its training time counts from."""
    state = at(JobStatus.IN_PROGRESS)
    for phase in (JobPhase.INTERRUPTED, JobPhase.STARTING, JobPhase.RUNNING):
        state = state.entered(phase, 5.0)
    assert (state.secondary, state.started) == ("Training", 3.0)
