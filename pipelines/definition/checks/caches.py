"""Checks `CacheConfig`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelines.definition.findings import Keys, error, error_on_key, warning
from pipelines.definition.steps import Definition, Step
from pipelines.diagnostics import Finding, Path
from pipelines.diagnostics.keys import KeyMistakes
from pipelines.diagnostics.sentences import in_words
from pipelines.grammar.durations import meant, parse_iso, parse_loose
from pipelines.json_types import Json, JsonObject

_KEYS: Final = Keys("SP508", "`CacheConfig`", ("Enabled", "ExpireAfter"))


def check(definition: Definition) -> Iterator[Finding]:
    """Yield what is wrong with the `CacheConfig` of each step that has one."""
    for step in definition.steps:
        config = step.whole.get("CacheConfig")
        if config is not None:
            yield from _check_config(step, config)


def _check_config(step: Step, config: Json) -> Iterator[Finding]:
    path = (*step.path, "CacheConfig")
    if step.known is not None and step.known.cache is None:
        yield error_on_key("SP508", path, f"a `{step.type}` step cannot be cached")
    if not isinstance(config, dict):
        yield error("SP508", path, "`CacheConfig` has to be an object")
        return
    mistakes = _KEYS.compare(config)
    yield from _KEYS.unknown(mistakes, path)
    if not isinstance(config.get("Enabled"), bool) and not mistakes.means("Enabled"):
        place = (*path, "Enabled") if "Enabled" in config else path
        yield error("SP508", place, "`Enabled` has to be true or false")
    yield from _check_expiry(config, mistakes, path)


def _check_expiry(config: JsonObject, mistakes: KeyMistakes, path: Path) -> Iterator[Finding]:
    expiry = config.get("ExpireAfter")
    if expiry is not None:
        yield from _check_duration(expiry, (*path, "ExpireAfter"))
    elif config.get("Enabled") is True and not mistakes.means("ExpireAfter"):
        message = "`ExpireAfter` is missing while the cache is enabled"
        yield warning("SP508", path, message, 'write a duration, as "P30D"')


def _check_duration(expiry: Json, path: Path) -> Iterator[Finding]:
    given = in_words(expiry)
    text = expiry if isinstance(expiry, str) else ""
    if parse_iso(text) is not None:
        return
    close = meant(text)
    help_text = f"did you mean `{close}`?" if close else 'write ISO 8601, as "P30D"'
    if parse_loose(text) is None:
        yield error("SP508", path, f"{given} is not a duration", help_text)
    else:
        yield warning("SP508", path, f"{given} is not written as ISO 8601 demands", help_text)
