"""Places in S3: `s3://bucket/prefix`, or a text that begins with a reference."""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

from pipelines.spec.references import Template
from pipelines.spec.values import Scalar, mistake, templated_text

_SCHEME = "s3://"


def _place(value: object) -> str | Template:
    text = templated_text(value)
    first = text.segments[0] if isinstance(text, Template) else text
    if not isinstance(first, str):
        return text
    if not first.startswith(_SCHEME):
        raise mistake("SP122", f"`{value}` is not a place in S3", _meant(first))
    is_whole = isinstance(text, str)
    if re.match(r"[^/]+" if is_whole else r"[^/]|$", first.removeprefix(_SCHEME)) is None:
        raise mistake("SP122", f"`{value}` names no bucket", "write s3://BUCKET/PREFIX")
    return text


def _meant(text: str) -> str:
    if re.match(r"\$?(data|parameters|steps)\.", text):
        return f"write `${{{text.removeprefix('$')}}}`"
    scheme, separator, rest = text.partition("://")
    if separator and scheme.lower() == "s3":
        return f"write {_SCHEME}{rest}"
    if separator:
        return "write s3://BUCKET/PREFIX"
    return (
        f"write s3://BUCKET/PREFIX; a file or folder of the project has a name in `data:`, such as"
        f" `NAME: {text}`, and is `${{data.NAME}}` here"
    )


S3Place: TypeAlias = Annotated[
    str | Template, Scalar(_place, (("type", "string"), ("minLength", 1)))
]
"""A prefix or an object in S3, references welcome; never an empty text."""
