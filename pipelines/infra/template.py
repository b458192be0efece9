"""A CloudFormation template: built as plain data, written as YAML that people read.

A comment is a key that begins with `# `, before the key that it explains: it stands in the text and
is no part of the document.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import field
from typing import Final

import yaml

from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

FORMAT: Final = "2010-09-09"
COMMENT: Final = "# "
_WIDTH: Final = 98
_UNLIMITED: Final = 1 << 20
_SHORT: Final = 60
_FEW: Final = 3
_MARK: Final = re.compile(
    r"^( *)(?:(- )__comment_(\d+)__: null\n +|__comment_(\d+)__: null\n)", re.MULTILINE
)


@frozen
class Template:
    """The sections of a template, in the order in which they are written.

    Args:
        description: what the stack is.
        parameters: what whoever deploys it may choose.
        conditions: by name.
        resources: by logical id.
        outputs: by name.
        metadata: what others than CloudFormation read.
    """

    description: str
    parameters: Mapping[str, JsonObject] = field(default_factory=dict)
    conditions: JsonObject = field(default_factory=dict)
    resources: JsonObject = field(default_factory=dict)
    outputs: JsonObject = field(default_factory=dict)
    metadata: JsonObject = field(default_factory=dict)

    def document(self) -> JsonObject:
        """Return the template without comments, as CloudFormation reads it."""
        document: JsonObject = _without_comments(self._sections())
        return document

    def text(self) -> str:
        """Write the template as YAML, with comments, an empty line before each resource."""
        return "\n".join(_written({name: part}) for name, part in self._sections().items())

    def _sections(self) -> JsonObject:
        sections = {
            "AWSTemplateFormatVersion": FORMAT,
            "Description": self.description,
            "Metadata": self.metadata,
            "Parameters": dict(self.parameters),
            "Conditions": self.conditions,
            "Resources": self.resources,
            "Outputs": self.outputs,
        }
        return {name: part for name, part in sections.items() if part}


def ref(name: str) -> JsonObject:
    """Refer to a parameter or a resource."""
    return {"Ref": name}


def attribute(name: str, member: str = "Arn") -> JsonObject:
    """Refer to an attribute of a resource."""
    return {"Fn::GetAtt": [name, member]}


def sub(text: str) -> JsonObject:
    """Fill in `${…}`."""
    return {"Fn::Sub": text}


def imported(name: str) -> JsonObject:
    """Take what another stack of the account and region exports."""
    return {"Fn::ImportValue": name}


def when(condition: str, value: Json, otherwise: Json = None) -> JsonObject:
    """Choose by a condition; without another value the member is left out."""
    return {"Fn::If": [condition, value, ref("AWS::NoValue") if otherwise is None else otherwise]}


def skipping(check: str, reason: str) -> JsonObject:
    """Return the metadata that keeps checkov from a check, and says why."""
    return {"checkov": {"skip": [{"id": check, "comment": reason}]}}


def tags(pairs: Mapping[str, str]) -> list[JsonObject]:
    """Write tags as most resources take them; one that is empty is left out."""
    return [{"Key": key, "Value": value} for key, value in sorted(pairs.items()) if value]


def yaml_text(value: Json) -> str:
    """Write a value as YAML, comments included, in the order in which it was built."""
    return _written(value)


def _without_comments(value: Json) -> Json:
    match value:
        case dict():
            kept = {key: part for key, part in value.items() if not key.startswith(COMMENT)}
            return {key: _without_comments(part) for key, part in kept.items()}
        case list():
            return [_without_comments(part) for part in value]
        case _:
            return value


def _written(value: Json) -> str:
    comments: list[str] = []
    marked = _marked(value, comments)
    text: str = yaml.dump(
        marked, Dumper=_Dumper, sort_keys=False, width=_UNLIMITED, allow_unicode=True, indent=2
    )
    return _MARK.sub(lambda found: _comment(found, comments), text)


def _marked(value: Json, comments: list[str]) -> Json:
    """Copy a value, a numbered key in the place of each comment."""
    match value:
        case dict():
            copied: JsonObject = {}
            for key, part in value.items():
                if key.startswith(COMMENT):
                    copied[f"__comment_{len(comments)}__"] = None
                    comments.append(key.removeprefix(COMMENT))
                else:
                    copied[key] = _marked(part, comments)
            return copied
        case list() | tuple():
            return [_marked(part, comments) for part in value]
        case _:
            return value


def _comment(found: re.Match[str], comments: list[str]) -> str:
    """Write a comment; the first key of a list's item stands behind the comment with its dash."""
    indent, dash, listed, alone = found.groups()
    head = f"{indent}# "
    lines = textwrap.wrap(comments[int(listed or alone)], _WIDTH - len(head))
    return "".join(f"{head}{line}\n" for line in lines) + (f"{indent}- " if dash else "")


class _Dumper(yaml.SafeDumper):
    """Lists are indented, short ones of words stand on a line, as references do.

    Texts of several lines are blocks, and nothing is written as an alias.
    """

    def increase_indent(self, flow: bool = False, *_: object, **__: object) -> None:  # noqa: FBT001, FBT002 - PyYAML's signature
        super().increase_indent(flow=flow, indentless=False)

    def ignore_aliases(self, _data: object) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _list(dumper: yaml.SafeDumper, items: list[Json]) -> yaml.SequenceNode:
    words = [str(item) for item in items if not isinstance(item, dict | list)]
    fits = len(words) == len(items) <= _FEW and len("".join(words)) <= _SHORT
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=fits)


def _mapping(dumper: yaml.SafeDumper, value: JsonObject) -> yaml.MappingNode:
    is_reference = value.keys() == {"Ref"} and "::" not in value["Ref"]
    return dumper.represent_mapping("tag:yaml.org,2002:map", value.items(), is_reference)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _list)
_Dumper.add_representer(dict, _mapping)
