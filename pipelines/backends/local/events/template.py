"""A CloudFormation template → the properties of its resources, references evaluated.

A reference is evaluated for this machine: an ARN gets the account and the region of the local
SageMaker, a parameter its default. What cannot be evaluated is a finding at its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from pipelines.backends.local.events.patterns import CODE
from pipelines.diagnostics import Finding, Path
from pipelines.document import Document
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_ARN: Final = re.compile(r"arn:aws[a-z-]*:([a-z0-9-]+):([a-z0-9-]*):[0-9]{12}:")
_NO_VALUE: Final = object()
"""What `AWS::NoValue` is: what has it is left out."""
_PLACEHOLDER: Final = re.compile(r"\$\{(!?)([^}]+)\}")
_NAMED: Final[Mapping[str, tuple[str, str, str]]] = {
    "AWS::Events::Rule": ("events", "rule/", "Name"),
    "AWS::IAM::Role": ("iam", "role/", "RoleName"),
    "AWS::SNS::Topic": ("sns", "", "TopicName"),
    "AWS::SQS::Queue": ("sqs", "", "QueueName"),
    "AWS::SageMaker::Pipeline": ("sagemaker", "pipeline/", "PipelineName"),
}
"""Of the Types that a rule may name: service and prefix of the ARN, the property with the name."""


class UnreadableError(Exception):
    """A value cannot be evaluated.

    Args:
        finding: what and where.
    """

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


@frozen
class LocalPlace:
    """The account and the region that stand for those of every template."""

    account: str
    region: str

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of something here."""
        region = "" if service == "iam" else self.region
        return f"arn:aws:{service}:{region}:{self.account}:{resource}"

    def moved(self, text: str) -> str:
        """Return a text whose ARNs are of this place."""
        return _ARN.sub(
            lambda arn: f"arn:aws:{arn[1]}:{arn[2] and self.region}:{self.account}:", text
        )


def unreadable(path: Path, message: str, remedy: str | None = None) -> UnreadableError:
    """Return the error for a value that cannot be evaluated."""
    return UnreadableError(Finding(CODE, message, path, help=remedy))


class Template:
    """A template that has resources.

    Args:
        document: the file.
        place: where its resources are taken to be.
    """

    def __init__(self, document: Document, place: LocalPlace) -> None:
        self.document = document
        self._data = document.data
        self.place = place

    @cached_property
    def resources(self) -> JsonObject:
        """The resources, as they are written."""
        return self._section("Resources")

    @cached_property
    def _parameters(self) -> JsonObject:
        return self._section("Parameters")

    @cached_property
    def _conditions(self) -> JsonObject:
        return self._section("Conditions")

    def is_made(self, logical: str) -> bool:
        """Return whether the condition of a resource holds, with the defaults of parameters.

        Raises:
            UnreadableError: it cannot be evaluated.
        """
        condition = self.resources[logical].get("Condition")
        path = ("Resources", logical, "Condition")
        return condition is None or self._holds({"Condition": condition}, path)

    def evaluated(self, value: Json, path: Path) -> Json:
        """Return a value with its references evaluated, its ARNs those of this place.

        Raises:
            UnreadableError: one cannot be evaluated.
        """
        found = self._evaluated(value, path)
        return None if found is _NO_VALUE else found

    def chosen(self, written: Json, path: Path) -> tuple[Json, Path]:
        """Return what `Fn::If` chooses, not evaluated; None where that is `AWS::NoValue`."""
        match written:
            case {"Fn::If": [str(condition), yes, no]}:
                here = (*path, "Fn::If")
                holds = self._holds({"Condition": condition}, here)
                return self.chosen(*((yes, (*here, 1)) if holds else (no, (*here, 2))))
            case {"Ref": "AWS::NoValue"}:
                return None, path
            case _:
                return written, path

    def _section(self, name: str) -> JsonObject:
        found = self._data.get(name)
        return found if isinstance(found, dict) else {}

    def _evaluated(self, value: Json, path: Path) -> Any:
        """Evaluate; `AWS::NoValue` takes what has it out of its list or mapping."""
        match value:
            case str():
                return self.place.moved(value)
            case list():
                listed = (self._evaluated(one, (*path, index)) for index, one in enumerate(value))
                return [one for one in listed if one is not _NO_VALUE]
            case dict():
                function = next(iter(value)) if len(value) == 1 else ""
                if function in {"Ref", "Condition"} or str(function).startswith("Fn::"):
                    return self._call(function, value[function], (*path, function))
                named = ((key, self._evaluated(one, (*path, key))) for key, one in value.items())
                return {key: one for key, one in named if one is not _NO_VALUE}
            case _:
                return value

    def _call(self, function: str, argument: Json, path: Path) -> Any:
        match function, argument:
            case "Ref", str(name):
                return self._ref(name, path)
            case "Fn::GetAtt", [str(name), str(attribute)]:
                return self._attribute(name, attribute, path)
            case "Fn::GetAtt", str(both):
                name, _, attribute = both.partition(".")
                return self._attribute(name, attribute, path)
            case "Fn::Sub", str(text):
                return self._substituted(text, {}, path)
            case "Fn::Sub", [str(text), dict(values)]:
                named = {key: self.evaluated(one, (*path, 1, key)) for key, one in values.items()}
                return self._substituted(text, named, path)
            case _:
                return self._other_call(function, argument, path)

    def _other_call(self, function: str, argument: Json, path: Path) -> Any:
        match function, argument:
            case "Fn::Join", [str(separator), list(parts)]:
                return separator.join(map(str, self.evaluated(parts, (*path, 1))))
            case "Fn::If", [str(), _, _]:
                chosen = self.chosen({function: argument}, path[:-1])
                return _NO_VALUE if chosen[0] is None else self._evaluated(*chosen)
            case _:
                raise unreadable(
                    path,
                    f"`{function}` is not evaluated here",
                    "`serve --rules` evaluates Ref, Fn::Sub, Fn::GetAtt, Fn::Join and Fn::If",
                )

    def _ref(self, name: str, path: Path) -> Any:
        pseudo = {
            "AWS::NoValue": _NO_VALUE,
            "AWS::AccountId": self.place.account,
            "AWS::Region": self.place.region,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": "local",
        }
        if name in pseudo:
            return pseudo[name]
        parameter = self._parameters.get(name)
        if isinstance(parameter, dict):
            if "Default" not in parameter:
                raise unreadable(
                    path, f"the parameter `{name}` has no value", f"give `{name}` a `Default`"
                )
            return self.evaluated(parameter["Default"], ("Parameters", name, "Default"))
        is_topic = self._resource(name, path).get("Type") == "AWS::SNS::Topic"
        return self._arn(name, path) if is_topic else self._name(name)

    def _attribute(self, name: str, attribute: str, path: Path) -> str:
        self._resource(name, path)
        if attribute == "Arn":
            return self._arn(name, path)
        if attribute.endswith("Name"):
            return self._name(name)
        raise unreadable(path, f"the attribute `{attribute}` of `{name}` is not known here")

    def _substituted(self, text: str, values: JsonObject, path: Path) -> str:
        def one(found: re.Match[str]) -> str:
            is_literal, name = found[1], found[2].strip()
            if is_literal:
                return f"${{{found[2]}}}"
            if name in values:
                return str(values[name])
            resource, dot, attribute = name.partition(".")
            return str(self._attribute(resource, attribute, path) if dot else self._ref(name, path))

        return self.place.moved(_PLACEHOLDER.sub(one, text))

    def _resource(self, name: str, path: Path) -> JsonObject:
        resource = self.resources.get(name)
        if not isinstance(resource, dict):
            raise unreadable(
                path, f"`{name}` is neither a parameter nor a resource of the template"
            )
        return resource

    def _arn(self, name: str, path: Path) -> str:
        type_ = str(self._resource(name, path).get("Type"))
        if type_ not in _NAMED:
            raise unreadable(path, f"the ARN of `{name}`, of type {type_}, is not known here")
        service, prefix, _ = _NAMED[type_]
        return self.place.arn(service, f"{prefix}{self._name(name)}")

    def _name(self, logical: str) -> str:
        """Return the name of a resource; CloudFormation makes one up where none is written."""
        resource = self.resources[logical]
        _, _, member = _NAMED.get(str(resource.get("Type")), ("", "", "Name"))
        properties = resource.get("Properties")
        written = properties.get(member) if isinstance(properties, dict) else None
        named = self.evaluated(written, ("Resources", logical, "Properties", member))
        return str(logical if named is None else named)

    def _holds(self, condition: Json, path: Path) -> bool:
        """Evaluate a condition with the defaults of the parameters."""
        match condition:
            case {"Condition": str(name)}:
                if name not in self._conditions:
                    raise unreadable(path, f"there is no condition `{name}`")
                return self._holds(self._conditions[name], ("Conditions", name))
            case {"Fn::Equals": [one, other]}:
                return bool(self.evaluated(one, path) == self.evaluated(other, path))
            case {"Fn::Not": [one]}:
                return not self._holds(one, path)
            case {"Fn::And": list(every)}:
                return all(self._holds(one, path) for one in every)
            case {"Fn::Or": list(some)}:
                return any(self._holds(one, path) for one in some)
            case _:
                function = [*condition][:1] if isinstance(condition, dict) else []
                raise unreadable((*path, *function), "this condition is not evaluated here")
