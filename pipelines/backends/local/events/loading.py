"""CloudFormation templates → their EventBridge rules.

Templates of several environments are read as one account, this machine: what two of them have in
common is one rule. All of them are read, or none: a finding keeps `serve` from starting.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from pipelines.backends.local.events import patterns
from pipelines.backends.local.events.patterns import CODE
from pipelines.backends.local.events.rules import (
    JSON_PATH,
    OWN_VARIABLES,
    VARIABLE,
    Rule,
    Target,
    is_path,
)
from pipelines.backends.local.events.template import (
    LocalPlace,
    Template,
    UnreadableError,
    unreadable,
)
from pipelines.diagnostics import CheckedText, Diagnostic, Finding
from pipelines.diagnostics import Path as DocumentPath
from pipelines.document import DocumentLimits, read
from pipelines.errors import UsageError
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_RULE: Final = "AWS::Events::Rule"
_SCHEDULE: Final = "AWS::Scheduler::Schedule"
_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json", ".template"})
_LIMITS: Final = DocumentLimits(size=1 << 20)  # CloudFormation's own


@frozen
class LoadedRules:
    """What templates have.

    Args:
        checked: their texts, with what is wrong in them.
        rules: the rules; none where something is wrong.
        schedules: the names of schedules, which are not run.
    """

    checked: Mapping[Path, CheckedText]
    rules: tuple[Rule, ...]
    schedules: tuple[str, ...]


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
    rules: dict[str, Rule] = {}
    schedules: list[str] = []
    for file, is_named in _files(paths):
        parsed = read(file, str(file), _LIMITS)
        found = [*map(_explained, parsed.findings)]
        document = None if found else parsed.document
        template = None if document is None else Template(document, place)
        if template is not None and (template.resources or is_named):
            reader = _RuleReader(template)
            for rule in reader.rules():
                rules.setdefault(_identity(rule), rule)
            schedules += reader.schedules
            found += map(template.document.locate, reader.findings)
        checked[file] = CheckedText(parsed.text, tuple(found))
    failed = any(one.failed for one in checked.values())
    return LoadedRules(checked, () if failed else tuple(rules.values()), tuple(schedules))


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


def _identity(rule: Rule) -> str:
    """Return what is the same for two rules that do the same for the same events."""
    targets = [(one.arn, {**one.parameters}, {**one.paths}, one.text) for one in rule.targets]
    is_told = all(one.pipeline is None for one in rule.targets)
    return json.dumps([rule.name if is_told else "", rule.pattern, targets], sort_keys=True)


class _RuleReader:
    """Reads the rules of one template.

    Args:
        template: the template.

    Attributes:
        findings: what is wrong with them.
        schedules: the names of schedules.
    """

    def __init__(self, template: Template) -> None:
        self._template = template
        self.findings: list[Finding] = []
        self.schedules: list[str] = []

    def rules(self) -> Iterator[Rule]:
        """Yield the rules that can be read."""
        if not self._template.resources:
            self._find(("Resources",), "this file is not a CloudFormation template: no `Resources`")
        for logical, resource in self._template.resources.items():
            type_ = resource.get("Type") if isinstance(resource, dict) else None
            if type_ == _SCHEDULE:
                self.schedules.append(logical)
            rule = self._read(logical, resource) if type_ == _RULE else None
            if rule is not None:
                yield rule

    def _read(self, logical: str, resource: JsonObject) -> Rule | None:
        """Return a rule; None where there is none to load, or where it cannot be read."""
        try:
            return self._rule(logical, resource)
        except UnreadableError as error:
            self.findings.append(error.finding)
        except RecursionError:
            self._find(("Resources", logical), "this rule refers to itself")
        return None

    def _find(self, path: DocumentPath, message: str) -> None:
        self.findings.append(Finding(CODE, message, path))

    def _rule(self, logical: str, resource: JsonObject) -> Rule | None:
        """Return a rule; None for one that is not made, disabled, or of another bus or kind."""
        path: DocumentPath = ("Resources", logical, "Properties")
        written = resource.get("Properties")
        if not isinstance(written, dict):
            raise unreadable(path[:2], "a rule must have `Properties`")
        if not self._template.is_made(logical):
            return None
        name, state, bus = (
            self._value(written, path, key) for key in ("Name", "State", "EventBusName")
        )
        if state == "DISABLED" or str(bus or "default").rpartition("event-bus/")[2] != "default":
            return None
        if "EventPattern" not in written:
            if "ScheduleExpression" not in written:
                raise unreadable(
                    path, "a rule must have an `EventPattern` or a `ScheduleExpression`"
                )
            self.schedules.append(str(name or logical))
            return None
        pattern = self._pattern(written["EventPattern"], (*path, "EventPattern"))
        targets = self._targets(written.get("Targets", []), (*path, "Targets"))
        return Rule(str(name or logical), pattern, targets)

    def _value(self, written: JsonObject, path: DocumentPath, key: str) -> Json:
        return self._template.evaluated(written.get(key), (*path, key))

    def _pattern(self, written: Json, path: DocumentPath) -> JsonObject:
        pattern: JsonObject = self._template.evaluated(written, path)
        self.findings += patterns.findings(pattern, path)
        local = self._template.place
        if isinstance(pattern, dict):
            for key, here in (("account", local.account), ("region", local.region)):
                if isinstance(pattern.get(key), list):
                    pattern[key] = [here if isinstance(one, str) else one for one in pattern[key]]
        return pattern

    def _targets(self, written: Json, path: DocumentPath) -> tuple[Target, ...]:
        written, path = self._template.chosen(written, path)
        if written is None:
            return ()
        if not isinstance(written, list):
            raise unreadable(path, "`Targets` must be a list")
        each = (self._template.chosen(one, (*path, index)) for index, one in enumerate(written))
        return tuple(self._target(one, here) for one, here in each if one is not None)

    def _target(self, written: Json, path: DocumentPath) -> Target:
        if not isinstance(written, dict) or not {"Id", "Arn"} <= written.keys():
            raise unreadable(path, "a target must have an `Id` and an `Arn`")
        values = {
            key: self._value(written, path, key)
            for key in ("Id", "Arn", "Input", "InputTransformer", "SageMakerPipelineParameters")
        }
        if not str(values["Arn"]).startswith("arn:"):
            raise unreadable((*path, "Arn"), "the `Arn` of a target must be an ARN")
        paths, text = self._input(values, path)
        parameters = self._parameters(values["SageMakerPipelineParameters"], path)
        return Target(str(values["Id"]), str(values["Arn"]), parameters, paths, text)

    def _parameters(self, written: Json, path: DocumentPath) -> dict[str, str]:
        here = (*path, "SageMakerPipelineParameters", "PipelineParameterList")
        match written:
            case None:
                return {}
            case {"PipelineParameterList": list(listed)}:
                pass
            case _:
                raise unreadable(here[:-1], "the parameters must be a `PipelineParameterList`")
        for index, one in enumerate(listed):
            if not isinstance(one, dict) or not {"Name", "Value"} <= one.keys():
                raise unreadable((*here, index), "a parameter must have a `Name` and a `Value`")
            if is_path(str(one["Value"])):
                _check_path(str(one["Value"]), (*here, index, "Value"))
        return {str(one["Name"]): str(one["Value"]) for one in listed}

    def _input(self, values: JsonObject, path: DocumentPath) -> tuple[dict[str, str], str | None]:
        here = (*path, "InputTransformer")
        match values["InputTransformer"]:
            case None:
                text = values["Input"]
                return {}, None if text is None else str(text)
            case {"InputTemplate": str(text), **more}:
                paths = more.get("InputPathsMap") or {}
            case _:
                raise unreadable(here, "an `InputTransformer` must have an `InputTemplate`")
        if not isinstance(paths, dict):
            raise unreadable((*here, "InputPathsMap"), "`InputPathsMap` must be a mapping")
        for name, one in paths.items():
            _check_path(str(one), (*here, "InputPathsMap", name))
        for name in VARIABLE.findall(text):
            if name not in paths and name not in OWN_VARIABLES:
                raise unreadable((*here, "InputTemplate"), f"`<{name}>` is not in `InputPathsMap`")
        return {**paths}, text


def _check_path(text: str, path: DocumentPath) -> None:
    if JSON_PATH.fullmatch(text) is None:
        raise unreadable(path, f"`{text}` is not a path such as `$.detail.ModelPackageArn`")
