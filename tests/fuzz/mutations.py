"""Seeded damage to plain data: values, keys, references, numbers and texts.

A mutation knows the languages: where a spec has a text, it may become a reference that is cut
short, leads nowhere, or leads to something of another sort; where a definition has a value, it
may become a function in a form that is nearly right.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

SCALARS: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 10**400, 0.5, -0.0, 1e308, "", " ", "a", "é" * 70,
    "x" * 3000, "0", "1e400", "no", "12:30", "2024-01-01", "\u0000", "a\nb", "..", "/", "~",
    "(a+)+b", "[[a]-z", "(?<n>a)(", "a{9999999999}", "pytorch-0.4-py2", "ml.x", "../../x",
    {"a": [{}]},
    "s3://", "s3://b", "s3://b/k/", "arn:aws:iam::1:role/x", "P7d", "30d", "-5m", "{", "}", "%s",
)  # fmt: skip

REFERENCES = (
    "${", "${}", "${ }", "${steps}", "${data}", "${parameters}", "${execution}", "${env}",
    "${steps.}", "${steps.train}", "${steps.train.model}", "${steps.train.model.x}",
    "${steps.nobody.model}", "${steps.train.metrics}", "${steps.train.metrics.auc}",
    "${steps.evaluate.report}", "${steps.evaluate.report.a.b[0]['c']}", "${steps.evaluate.report[}",
    "${steps.train.properties}", "${steps.train.properties.ModelArtifacts[0]}",
    "${steps.train.properties.ModelArtifacts.S3ModelArtifacts}", "${parameters.epochs}",
    "${parameters.nobody}", "${parameters.epochs.x}", "${parameters[0]}", "${data.flights}",
    "${data.nobody}", "${data.flights[0]}", "${execution.id}", "${execution.nobody}",
    "${env.HOME}", "${env.NOBODY}", "$${steps.train.model}", "${steps.train.model}${data.flights}",
    "a-${parameters.epochs}-b", "${steps['train'].model}", "${ steps . train . model }",
    "${steps.train.model", "${${steps.train.model}}", "${a-b.c_d}", "${0}", "${-}",
)  # fmt: skip

EXPRESSIONS = (
    "", "(", ")", "not", "and", "a", "1", "true", "1 ==", "== 1", "1 == 1 == 1", "1 in 2",
    "1 in []", "not not not 1 == 1", "(1 == 1", "steps.train.metrics.auc > 0.5 and",
    "parameters.epochs in [1, 2]", "parameters.epochs == 'a' or not (1 < 2)", "'a' < 1",
    "steps == 1", "steps.nobody.x == 1", "1e400 == 1", "-1 < -2", "${parameters.epochs} == 1",
    "'", '"', "1 == 'unclosed", "[1]", "a.b.c", "1 != 2 , 3", "\u0000", "1 =< 2", "( ) ( )",
)  # fmt: skip

FUNCTIONS: tuple[Any, ...] = (
    {"Get": ""}, {"Get": 1}, {"Get": "Steps"}, {"Get": "Steps."}, {"Get": "Steps.x.y"},
    {"Get": "Parameters"}, {"Get": "Parameters.nobody"}, {"Get": "Execution.nobody"},
    {"Get": "Steps.x['a"}, {"Get": "Steps.x[99999999999999999999]"}, {"Get": "ForEach.CurrentItem"},
    {"Get": "Parameters.a", "x": 1}, {"Std:Join": None}, {"Std:Join": {}}, {"Std:Join": []},
    {"Std:Join": {"On": 1, "Values": [1]}}, {"Std:Join": {"On": "", "Values": [[1], {"Get": "x"}]}},
    {"Std:JsonGet": {}}, {"Std:JsonGet": {"PropertyFile": "x", "Path": "$.["}},
    {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.x.PropertyFiles"}, "Path": ""}},
    {"Std:JsonGet": {"S3Uri": {"Std:JsonGet": {}}, "Path": "a"}}, {"Std:Nobody": 1}, {"Std:": {}},
)  # fmt: skip

Mutation = Callable[[random.Random, Any], Any]


def mutated(data: Any, source: random.Random, replacements: tuple[Any, ...]) -> Any:
    """Return a copy of plain data with one to four of its places damaged."""
    whole = {"": copy.deepcopy(data)}
    for _ in range(source.randint(1, 4)):
        holder, key = _place(whole, source)
        _damage(holder, key, source, replacements)
    return whole.get("")


def text_mutated(text: str, source: random.Random) -> str:
    """Return a text with one to four cuts, repetitions, swaps or foreign characters."""
    for _ in range(source.randint(1, 4)):
        start = source.randrange(len(text) + 1)
        end = min(len(text), start + source.choice((0, 1, 1, 2, 5, 40)))
        filling = source.choice(("", "", text[start:end] * 2, source.choice(_CHARACTERS)))
        text = text[:start] + filling + text[end:]
    return text


_CHARACTERS = (
    "\t", "\r", "\u0085", "\u2028", "\ufeff", "\x00", "\x1b[2J", "é", "\U0001f600", "&a", "*a",
    "<<: ", "!!python/object:x ", "!tag ", "%YAML 9.9\n", "---\n", "...\n", "[" * 60, "{" * 60,
    "- " * 40, "? ", ": ", "#", "'", '"', "|", ">", "@", "`", "${", "}", "0x", "1e9999",
)  # fmt: skip


def _place(whole: Any, source: random.Random) -> tuple[Any, Any]:
    """Choose a holder and the key of one of its entries, deep ones as likely as shallow ones."""
    places = list(_places(whole))
    return source.choice(places)


def _places(holder: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    pending = [holder]
    while pending:
        one = pending.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one))
        for key in keys:
            found.append((one, key))
            if isinstance(one[key], dict | list):
                pending.append(one[key])
    return found


def _damage(holder: Any, key: Any, source: random.Random, replacements: tuple[Any, ...]) -> None:
    value = holder[key]
    match source.randrange(8):
        case 0 | 1 | 2:
            holder[key] = copy.deepcopy(source.choice(replacements))
        case 3:
            holder[key] = copy.deepcopy(source.choice(SCALARS))
        case 4 if isinstance(holder, dict) and key != "":
            holder[_misspelt(str(key), source)] = holder.pop(key)
        case 5 if key != "":
            del holder[key]
        case 6:
            holder[key] = source.choice(([value], {"x": value}, [], {}, [value] * 3))
        case _:
            other, name = _place(holder, source)
            holder[key] = copy.deepcopy(other[name])


def _misspelt(word: str, source: random.Random) -> str:
    at = source.randrange(len(word) + 1)
    return source.choice((word[:at] + word[at + 1 :], word[:at] + "x" + word[at:], word.upper()))
