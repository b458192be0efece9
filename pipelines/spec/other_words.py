"""Words of other tools, SageMaker's SDK among them → the words of a spec that say the same."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from pipelines.diagnostics.nearest import nearest

_SAME: Final[Mapping[str, tuple[str, ...]]] = {
    "after": ("dependencies", "dependson", "needs", "requires", "runafter", "waitfor"),
    "arguments": ("args", "containerarguments", "jobarguments"),
    "boolean": ("bool",),
    "bucket": ("defaultbucket", "s3bucket"),
    "cache": ("cacheconfig", "enablecaching"),
    "continuous": ("double", "float"),
    "condition": ("choice", "gate"),
    "deployment": ("endpoint", "serving"),
    "else": ("elsesteps",),
    "enable_managed_spot_training": ("spot", "usespotinstances", "usespot"),
    "environment": ("env", "envvars", "variables"),
    "experiments": ("grid", "sweep"),
    "float": ("number",),
    "group": ("modelpackagegroup", "modelpackagegroupname"),
    "if": ("condition", "conditions", "when"),
    "image": ("container", "dockerimage", "framework", "imageuri"),
    "initial_instance_count": ("instancecount",),
    "integer": ("int",),
    "keep_alive_period_in_seconds": ("warmpool",),
    "kind": ("steptype", "type"),
    "logarithmic": ("log",),
    "max_runtime_in_seconds": ("maxrun", "timeout"),
    "max_wait_time_in_seconds": ("maxwait",),
    "maximize": ("max",),
    "message": ("error", "errormessage", "reason"),
    "minimize": ("min",),
    "pipeline": ("name", "pipelinename"),
    "processes_per_host": ("nprocpernode", "numprocesses", "processcountpernode"),
    "raw": ("callback", "emr", "lambda"),
    "registration": ("register", "registermodel"),
    "retry": ("maxretries", "retries", "retrypolicies"),
    "role": ("executionrole", "rolearn"),
    "script": ("code", "command", "entrypoint", "run"),
    "source_dir": ("cwd", "sourcedirectory", "workdir", "workingdirectory"),
    "string": ("str", "text"),
    "then": ("ifsteps",),
    "transform": ("batchtransform",),
    "tuning": ("hpo", "hyperparametertuning"),
    "validation": ("dataquality", "expectations"),
}
"""Each key, kind or value with the words for it, in small letters and without `_` and `-`."""

_KEYS: Final = {word: key for key, words in _SAME.items() for word in words}


def meant(word: str, known: Collection[str]) -> str | None:
    """Return the known word that was probably meant: one written alike or with that meaning."""
    close = nearest(word, known)
    if close is not None:
        return close
    key = _KEYS.get(word.casefold().replace("_", "").replace("-", ""))
    return key if key in known else None
