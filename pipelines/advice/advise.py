"""All rules over jobs → lines of advice."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

from pipelines.advice import rules
from pipelines.advice.job import LEAST_SECONDS, ObservedJob, Rule
from pipelines.frozen import frozen


@frozen
class Advice:
    """What to change of a step, and why, in one line."""

    step: str
    text: str


@cache
def all_rules() -> tuple[Rule, ...]:
    """Return the rules in their order."""
    files = (file for folder in rules.__path__ for file in Path(folder).glob("[!_]*.py"))
    found = [
        import_module(f"{rules.__name__}.{name}").RULE for name in sorted(f.stem for f in files)
    ]
    return tuple(sorted(found, key=lambda rule: rule.order))


def advise(job: ObservedJob) -> Iterator[Advice]:
    """Yield advice on a job: nothing where it is not known what it used, or it was too short."""
    if not job.hosts or job.wall < LEAST_SECONDS:
        return
    told = set[str]()
    for rule in all_rules():
        if rule.subject in told or (job.is_local and not rule.anywhere):
            continue
        text = rule.advise(job)
        if text is not None:
            told.add(rule.subject)
            yield Advice(job.step, text)
