"""The templates that `ci init` wrote, read as CloudFormation reads them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.json_types import Json, JsonObject
from tests import fast_yaml


class Template:
    """A template with the defaults of its parameters.

    Args:
        path: its file.
    """

    def __init__(self, path: Path) -> None:
        document = fast_yaml.load(path.read_text("utf-8"))
        self.resources: JsonObject = document["Resources"]
        self._parameters: JsonObject = document.get("Parameters", {})

    def of_type(self, type_: str) -> Iterator[tuple[str, JsonObject]]:
        """Yield the resources of a type: logical id and properties, references resolved."""
        for logical, resource in self.resources.items():
            if resource["Type"] == type_:
                yield logical, self._resolved(resource["Properties"])

    def one(self, type_: str, name: str) -> JsonObject:
        """Return the properties of a resource by its `Name`."""
        return next(found for _, found in self.of_type(type_) if found["Name"] == name)

    def project(self, logical: str) -> JsonObject:
        """Return the CodeBuild project of a logical id, its buildspec read."""
        found = dict(self.of_type("AWS::CodeBuild::Project"))[logical]
        return {**found, "BuildSpec": fast_yaml.load(found["Source"]["BuildSpec"])}

    def _resolved(self, value: Json) -> Any:
        match value:
            case {"Ref": str(name), **others} if not others:
                parameter = self._parameters.get(name)
                return name if parameter is None else parameter.get("Default", name)
            case dict():
                return {key: self._resolved(part) for key, part in value.items()}
            case list():
                return [self._resolved(part) for part in value]
            case _:
                return value
