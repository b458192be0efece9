"""Files of CloudFormation templates → their EventBridge rules and schedules.

Templates of several environments are read as one account, this machine: what two of them have in
common is one rule. All of them are read, or none: a finding keeps `serve` from starting.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pipelines.backends.local.events.reading import TemplateReader
from pipelines.backends.local.events.rules import Rule
from pipelines.backends.local.events.schedules import Schedule
from pipelines.backends.local.events.template import LocalPlace, Template
from pipelines.diagnostics import CheckedText, Diagnostic
from pipelines.document import DocumentLimits, read
from pipelines.errors import UsageError
from pipelines.frozen import frozen

_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json", ".template"})
_LIMITS: Final = DocumentLimits(size=1 << 20)  # CloudFormation's own


@frozen
class LoadedRules:
    """What templates have.

    Args:
        checked: their texts, with what is wrong in them.
        rules: the rules; none where something is wrong.
        schedules: the schedules, those of rules among them; none where something is wrong.
    """

    checked: Mapping[Path, CheckedText]
    rules: tuple[Rule, ...]
    schedules: tuple[Schedule, ...]


def load_rules(paths: Iterable[Path], account: str, region: str) -> LoadedRules:
    """Read the rules of template files, and of the templates in folders.

    Args:
        paths: files and folders.
        account: the account that stands for theirs.
        region: the region that does.

    Raises:
        UsageError: a path is not there, or a folder has no templates.
    """
    place = LocalPlace(account, region)
    checked: dict[Path, CheckedText] = {}
    kept: list[Rule | Schedule] = []
    for file, is_named in _files(paths):
        parsed = read(file, str(file), _LIMITS)
        found = [*map(_explained, parsed.findings)]
        document = None if found else parsed.document
        template = None if document is None else Template(document, place)
        if template is not None and (template.resources or is_named):
            reader = TemplateReader(template)
            for one in reader.read():
                if all(_identity(one) != _identity(other) for other in kept):
                    kept.append(one)
            found += map(template.document.locate, reader.findings)
        checked[file] = CheckedText(parsed.text, tuple(found))
    if any(one.failed for one in checked.values()):
        return LoadedRules(checked, (), ())
    rules = tuple(one for one in kept if isinstance(one, Rule))
    schedules = tuple(one for one in kept if isinstance(one, Schedule))
    return LoadedRules(checked, rules, schedules)


def _files(paths: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
    """Yield the files, each with whether it was named itself."""
    for path in paths:
        if not path.is_dir():
            yield path, True
            continue
        found = [one for one in sorted(path.iterdir()) if one.suffix in _SUFFIXES and one.is_file()]
        if not found:
            raise UsageError(
                f"{path} has no templates",
                "name the folder that `ci init` wrote, or a template file",
            )
        yield from ((one, False) for one in found)


def _explained(diagnostic: Diagnostic) -> Diagnostic:
    """Say what to write in a template: the reader of documents speaks of specs."""
    if "the tag `!" in diagnostic.message:
        return replace(diagnostic, help="write the long form, as `Ref: Topic` or `Fn::Sub: …`")
    if diagnostic.span is None:
        return replace(diagnostic, help="`--rules` takes a template or a folder of templates")
    return diagnostic


def _identity(one: Rule | Schedule) -> tuple[Any, ...]:
    """Return what is equal for two of them that do the same at the same events or times."""
    when = one.pattern if isinstance(one, Rule) else one.times
    is_told = all(target.pipeline is None for target in one.targets)
    targets = [replace(target, id="") for target in one.targets]
    return (type(one), one.name if is_told else "", when, targets)
