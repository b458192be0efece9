"""Document → PipelineSpec, with every finding at once.

The kinds of steps are passed in: they stand above this package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace

from pydantic import BaseModel, ValidationError

from pipelines.diagnostics import Finding, Path
from pipelines.diagnostics.nearest import nearest
from pipelines.document import Document
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject
from pipelines.spec import environ as environment
from pipelines.spec.commit import COMMIT
from pipelines.spec.members import fields_of
from pipelines.spec.model import PIPELINE_NAME, STEP_NAME, PipelineSpec
from pipelines.spec.steps import JobStep, StepSpec
from pipelines.spec.values import describe

SPEC_VERSION = 1

_OF_A_DEFINITION = frozenset({"Steps", "Version"})
_PLACEHOLDER = {"spec": SPEC_VERSION, "pipeline": "unnamed"}


@frozen
class StepModels:
    """What the loader has to know of the kinds.

    Args:
        find: a kind and a step's keys → its model; None for a kind that there is not.
        names: all kinds, for advice.
    """

    find: Callable[[str, Iterable[str]], type[StepSpec] | None]
    names: tuple[str, ...]


@frozen
class Loaded:
    """What could be read: what has findings is left out of the spec.

    Later stages check what is there, so that the user sees all findings at once; whether the
    spec may be compiled is decided by the findings.

    Args:
        spec: the pipeline; None where nothing is left to go on with.
        findings: what is wrong with the document.
        unread: the sections, or the entries of a section, that were left out.
        partial: what is left of steps that were left out, without their mistakes.
    """

    spec: PipelineSpec | None
    findings: tuple[Finding, ...]
    unread: frozenset[Path] = frozenset()
    partial: Mapping[str, StepSpec] = field(default_factory=dict)


def load(document: Document, models: StepModels, environ: Mapping[str, str]) -> Loaded:
    """Read the spec out of a document.

    Args:
        document: the file, its environment overlaid.
        models: the kinds' step models.
        environ: what `${env.NAME}` reads.
    """
    if not isinstance(document.data, dict):
        finding = Finding("SP121", f"the file must be a mapping, got {describe(document.data)}", ())
        return Loaded(None, (finding,))
    if document.data.keys() >= _OF_A_DEFINITION and "steps" not in document.data:
        return Loaded(None, (_definition(),))
    written = {k: v for k, v in document.data.items() if k != "environments" and k[:2] != "x-"}
    top, missing = environment.substitute(written, environ)
    found: list[Finding] = list(_version(top))
    if found:
        top["spec"] = SPEC_VERSION
    if not found and not missing:
        found.extend(_names(top))
    if any(finding.path == ("pipeline",) for finding in found):
        top["pipeline"] = _PLACEHOLDER["pipeline"]  # nothing else is wrong for it
    found.extend(_environments(document.data))
    misspelt = _misspelt(top)
    steps = top.pop("steps", None)
    parsed, unread = _read_top(top, found)
    unread |= misspelt
    if steps is not None or ("steps",) not in misspelt:
        found.extend(_without_steps(steps))
    step_specs, partial = _read_steps(_mapping(steps), models, _defaults(top, parsed), found)
    found = [_changing_nothing(finding, document) for finding in found]
    found = [environment.blamed_on_variables(finding, written, environ) for finding in found]
    reported = (*missing, *environment.beside(missing, found))
    if parsed is None:
        return Loaded(None, reported)
    unread |= {("steps", name) for name in _mapping(steps) if name not in step_specs}
    return Loaded(parsed.model_copy(update={"steps": step_specs}), reported, unread, partial)


def _definition() -> Finding:
    message = "this is the definition of a pipeline, not a spec"
    help_text = "`run --from-definition FILE` runs it; `validate` and `graph` take it with `-f`"
    return Finding("SP102", message, ("Version",), "key", help_text)


def _changing_nothing(finding: Finding, document: Document) -> Finding:
    """Advise on an entry that only an environment has, and that lacks what would make it one."""
    if finding.code != "SP120" or finding.path not in document.added or len(finding.path) != 2:
        return finding
    section, name = finding.path
    others = (k for k in document.data[str(section)] if (section, k) not in document.added)
    close = nearest(str(name), others)
    return finding if close is None else replace(finding, help=f"did you mean `{close}`?")


def _version(data: JsonObject) -> Iterator[Finding]:
    version = data.get("spec")
    if isinstance(version, bool):
        yield Finding(
            "SP121",
            f"`spec` must be a number, got {describe(version)}",
            ("spec",),
            help="write `spec: 1`",
        )
    elif isinstance(version, int) and version > SPEC_VERSION:
        yield Finding(
            "SP126",
            f"`spec: {version}` is newer than this tool, which knows {SPEC_VERSION}",
            ("spec",),
            help="upgrade the tool",
        )


def _environments(data: JsonObject) -> Iterator[Finding]:
    given = data.get("environments")
    if not isinstance(given, dict | None):
        message = f"`environments` must be a mapping, got {describe(given)}"
        yield Finding("SP121", message, ("environments",))


def _names(data: JsonObject) -> Iterator[Finding]:
    pipeline = data.get("pipeline")
    if isinstance(pipeline, str) and "${" not in pipeline and not PIPELINE_NAME.fullmatch(pipeline):
        yield Finding(
            "SP127",
            f"`{pipeline}` is not a valid pipeline name",
            ("pipeline",),
            help="letters, digits and single hyphens between them, at most 256 "
            "(CreatePipeline's pattern)",
        )
    for section in ("steps", "parameters", "data"):
        names = data.get(section)
        for name in names if isinstance(names, dict) else ():
            if not STEP_NAME.fullmatch(name):
                yield Finding(
                    "SP127",
                    f"`{name}` is not a valid {section.removesuffix('s')} name",
                    (section, name),
                    at="key",
                    help="letters, digits, `-` and `_`, at most 64 characters",
                )
            elif (section, name) == ("parameters", COMMIT):
                yield Finding(
                    "SP127",
                    f"`{name}` is the parameter that registrations take the commit from",
                    (section, name),
                    at="key",
                    help="choose another name",
                )


def _read_top(top: JsonObject, found: list[Finding]) -> tuple[PipelineSpec | None, frozenset[Path]]:
    try:
        return PipelineSpec.model_validate({**top, "steps": {}}), frozenset()
    except ValidationError as error:
        translated = _translated(error, PipelineSpec, ())
    found.extend(translated)
    unread = frozenset(_left_out(top, f.path) for f in translated if f.path)
    rest = {
        key: {k: v for k, v in value.items() if (key, k) not in unread}
        if isinstance(value, dict)
        else value
        for key, value in top.items()
        if (key,) not in unread
    }
    try:
        return PipelineSpec.model_validate({**_PLACEHOLDER, **rest, "steps": {}}), unread
    except ValidationError:
        return None, unread


def _translated(error: ValidationError, model: type[BaseModel], path: Path) -> list[Finding]:
    from pipelines.spec.mistakes import findings  # noqa: PLC0415 - a sound spec has none

    return list(findings(error, model, path))


def _misspelt(top: JsonObject) -> set[Path]:
    """Return the sections that keys were probably meant to be which there are not."""
    if top.keys() <= fields_of(PipelineSpec).keys():
        return set()
    from pipelines.spec.mistakes import meant_keys  # noqa: PLC0415 - as above

    return {(section,) for section in meant_keys(top, PipelineSpec)}


def _left_out(top: JsonObject, path: Path) -> Path:
    """Return what cannot be read for a mistake: an entry of its section, else the section."""
    return path[:2] if len(path) > 1 and path[1] in _mapping(top.get(str(path[0]))) else path[:1]


def _mapping(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _without_steps(steps: Json) -> Iterator[Finding]:
    if isinstance(steps, list) and steps:
        from pipelines.spec.mistakes import by_name  # noqa: PLC0415 - a sound spec has none

        message = f"`steps` must be a mapping, got {describe(steps)}"
        yield Finding("SP121", message, ("steps",), "key", by_name(steps))
    elif not isinstance(steps, dict) or not steps:
        yield Finding(
            "SP120",
            "the pipeline has no steps",
            ("steps",) if steps is not None else (),
            at="key",
            help="a pipeline is a mapping of at least one step under `steps:`",
        )


def _read_steps(
    steps: JsonObject, models: StepModels, defaults: JsonObject, found: list[Finding]
) -> tuple[dict[str, StepSpec], dict[str, StepSpec]]:
    """Read the steps: those that could be, and what is left of the others."""
    read: dict[str, StepSpec] = {}
    partial: dict[str, StepSpec] = {}
    for name, step in steps.items():
        before = len(found)
        parsed = _read_step(name, step, models, defaults, found)
        if parsed is not None:
            (read if len(found) == before else partial)[name] = parsed
    return read, partial


def _read_step(
    name: str, step: Json, models: StepModels, defaults: JsonObject, found: list[Finding]
) -> StepSpec | None:
    path: Path = ("steps", name)
    if not isinstance(step, dict):
        found.append(
            Finding(
                "SP121",
                f"step `{name}` must be a mapping, got {describe(step)}",
                path,
                at="key",
                help="write `kind:` and its other keys below it, or remove it",
            )
        )
        return None
    kind = step.get("kind")
    if kind is None:
        found.append(_no_kind(name, step, models.names))
        return None
    model = models.find(kind, step) if isinstance(kind, str) else None
    if model is None:
        found.append(_unknown_kind(kind, models.names, (*path, "kind")))
        return None
    taken = model.model_fields.keys() & model.taken_by(step)
    whole = {**{key: value for key, value in defaults.items() if key in taken}, **step}
    try:
        return model.model_validate(whole)
    except ValidationError as error:
        found.extend(_translated(error, model, path))
        return _salvage(whole, model, error)


def _salvage(step: JsonObject, model: type[StepSpec], error: ValidationError) -> StepSpec | None:
    """Read what is left of a step when its mistakes are taken out; None where that is no step."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    places = [d["loc"][: -1 if d["type"] == "missing" else None] for d in details]
    try:
        return model.model_validate(_without(step, places))
    except ValidationError:
        return None


def _without(value: JsonObject, places: Iterable[Path]) -> JsonObject:
    """Copy a mapping without what stands at the places, or without the lists that they are in."""
    below: dict[str | int, list[Path]] = {}
    for place in places:
        if place:
            below.setdefault(place[0], []).append(place[1:])
    rest = {}
    for key, item in value.items():
        if key not in below:
            rest[key] = item
        elif isinstance(item, dict) and all(p and p[0] in item for p in below[key]):
            rest[key] = _without(item, below[key])
    return rest


def _no_kind(name: str, step: JsonObject, names: tuple[str, ...]) -> Finding:
    """Return what is wrong with a step without a kind: the key may be there, misspelt."""
    from pipelines.spec.other_words import meant  # noqa: PLC0415 - a sound spec needs none

    misspelt = next((k for k in step if k != "kind" and meant(k, ("kind",))), None)
    if misspelt is not None:
        path: Path = ("steps", name, misspelt)
        message = f"unknown key `{misspelt}` in step `{name}`"
        return Finding("SP102", message, path, "key", "did you mean `kind`?")
    message = f"step `{name}` lacks the key `kind`"
    return Finding("SP120", message, ("steps", name), "key", f"one of {', '.join(names)}")


def _unknown_kind(kind: Json, names: tuple[str, ...], path: Path) -> Finding:
    from pipelines.spec.other_words import meant  # noqa: PLC0415 - a sound spec needs none

    close = meant(kind.removesuffix("Step"), names) if isinstance(kind, str) else None
    advice = f"did you mean `{close}`?" if close else f"one of {', '.join(names)}"
    shown = f"`{kind}`" if isinstance(kind, str) else describe(kind)
    return Finding("SP128", f"unknown kind {shown}", path, help=advice)


def _defaults(top: JsonObject, read: PipelineSpec | None) -> JsonObject:
    """Return what of `defaults:` could be read, as it is written there."""
    keys = read.defaults.model_fields_set if read else set()
    written = _mapping(top.get("defaults"))
    return {key: written[key] for key in JobStep.takes if key in keys and written[key] is not None}
