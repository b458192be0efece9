"""One execution → one HTML page, for a browser without a network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from typing import Final

from pipelines.errors import UsageError
from pipelines.execution.caller import CallRefusedError
from pipelines.execution.logs import tail
from pipelines.files import real
from pipelines.frozen import frozen
from pipelines.json_types import Json
from pipelines.registry import packages
from pipelines.results.data import code_run, data_read
from pipelines.results.experiments import experiments_in
from pipelines.results.history import version_history
from pipelines.results.metrics import metrics_of, written
from pipelines.results.outputs import Output, outputs_of, reports_of
from pipelines.results.page.charts import line_chart, timeline
from pipelines.results.page.dag import draw_steps
from pipelines.results.page.experiments import experiments
from pipelines.results.page.markup import Html, element, join, style, table
from pipelines.results.page.pictures import picture
from pipelines.results.page.trials import trials
from pipelines.results.page.validation import validation
from pipelines.results.page.words import seconds, step_status, step_tone, tone
from pipelines.results.run import ExecutionResult
from pipelines.results.source import ResultSource
from pipelines.results.trials import tried_in

_MOST_PICTURED: Final = 24 << 20
"""Bytes of all pictures that a page holds."""

_FEWEST: Final = 2
"""Values that a metric has to have had for a line to say anything."""

_ENDPOINT: Final = "DEPLOY_ENDPOINT"


@frozen
class _Page:
    """What a page shows."""

    source: ResultSource
    run: ExecutionResult
    outputs: tuple[Output, ...]
    reports: Mapping[str, Json]


def execution_page(source: ResultSource, run: ExecutionResult) -> str:
    """Write the page of an execution: it loads nothing, and runs nothing."""
    outputs = outputs_of(source, run)
    page = _Page(source, run, outputs, reports_of(source, outputs))
    made = [(name, title, content) for name, title, content in _sections(page) if content]
    sections = [
        element("section", element("h2", title, id=f"{name}-title"), content, id=name,
                aria_labelledby=f"{name}-title")
        for name, title, content in made
    ]  # fmt: skip
    links = [element("li", element("a", title, href=f"#{name}")) for name, title, _ in made]
    body = element(
        "body",
        element("a", "Skip to the results", class_="skip", href="#results"),
        element("header", _header(run)),
        element("nav", element("ul", links), aria_label="Sections"),
        element("main", sections, id="results"),
    )
    document = element("html", _head(run), body, lang="en")
    return f"<!doctype html>\n{document}\n"


def _head(run: ExecutionResult) -> Html:
    sheet = style()
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}';"
        " base-uri 'none'; form-action 'none'"
    )
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{run.pipeline} {run.id}: {run.status}"),
        element("style", Html(sheet)),
    )


def _header(run: ExecutionResult) -> Html:
    took = (run.ended - run.began).total_seconds()
    status = element("span", run.status, class_=f"status {tone(run.status)}")
    facts: list[tuple[str, str]] = [
        ("Status", status),
        ("Execution", element("code", run.id)),
        ("Started", run.began.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")),
        ("Took", seconds(took)),
        *(("Registered", version) for version in run.versions),
    ]
    if run.execution.get("PipelineExecutionDescription"):
        facts.append(("Described as", str(run.execution["PipelineExecutionDescription"])))
    listed = [element("div", element("dt", word), element("dd", said)) for word, said in facts]
    return join([element("h1", run.pipeline), element("dl", listed, class_="facts")])


def _sections(page: _Page) -> Iterator[tuple[str, str, Html]]:
    run = page.run
    yield "failure", "What failed", join(_failures(page))
    yield "steps", "Steps", _steps(run)
    yield "metrics", "Metrics", join(_metrics(page))
    yield "experiments", "Experiments", experiments(experiments_in(page.reports))
    yield "trials", "Trials", trials(tried_in(page.source, run))
    yield "model", "Model and endpoint", _model(page)
    yield "validation", "Validation", validation(page.reports)
    yield "pictures", "Pictures", join(_pictures(page))
    yield "parameters", "Parameters", _parameters(run)
    yield "inputs", "Data and code", join(_inputs(page))
    yield "outputs", "Outputs", _outputs(page)


def _failures(page: _Page) -> Iterator[Html]:
    reason = page.run.execution.get("FailureReason")
    failed = [step for step in page.run.steps if step.status == "Failed"]
    if reason and not failed:
        yield element("p", str(reason))
    for step in failed:
        yield element("h3", step.name)
        yield element("p", step.reason or "no reason was given")
        lines = tail(page.source.caller, step.listed)
        if lines:
            yield element("pre", "\n".join(lines), tabindex="0", role="region",
                          aria_label=f"The end of the log of {step.name}")  # fmt: skip


def _steps(run: ExecutionResult) -> Html:
    drawn = _drawing("What each step waits for", draw_steps(run))
    if not run.steps:
        return join([drawn, element("p", "No step has begun.")])
    rows = [
        (
            step.name,
            step.step.type if step.step is not None else "",
            element("span", step_status(step), class_=step_tone(step)),
            str(step.described.get("ExitMessage") or ""),
        )
        for step in run.steps
    ]
    return join(
        [
            element("div", drawn, _drawing("When each step ran", timeline(run)), class_="flow"),
            table("Steps that began", ("Step", "Type", "Status", "Message"), rows),
        ]
    )


def _drawing(said: str, drawing: Html) -> Html:
    scrolls = {"class_": "scroll drawing", "tabindex": "0", "role": "region", "aria_label": said}
    return element("div", element("h3", said), element("div", drawing, **scrolls))


def _metrics(page: _Page) -> Iterator[Html]:
    charts = list(_charts(page))
    if charts:
        yield element("h3", "Over the versions of the model")
        yield element("div", charts, class_="charts")
    values = metrics_of(page.run, page.reports)
    if values:
        rows = [(name, written(value)) for name, value in values.items()]
        yield table("Metrics of this execution", ("Metric", "Value"), rows)


def _charts(page: _Page) -> Iterator[Html]:
    history = version_history(page.source, page.run)
    names = dict.fromkeys(name for one in history for name in one.values)
    for name in names:
        points = [(one.version, one.values[name]) for one in history if name in one.values]
        if len({value for _, value in points}) >= _FEWEST:
            labels = [version.rpartition("/")[2] for version, _ in points]
            chart = line_chart(name, labels, [value for _, value in points])
            caption = element("figcaption", f"{name} {written(points[-1][1])}")
            yield element("figure", caption, chart)


def _model(page: _Page) -> Html:
    rows = [
        (version, _approval(page.source, version), step.name)
        for step in page.run.steps
        if (version := step.version) is not None
    ]
    endpoints = [
        (str(name), str(step.described.get("ExitMessage") or step.status), step.name)
        for step in page.run.steps
        if (name := (step.described.get("Environment") or {}).get(_ENDPOINT))
    ]
    shown = []
    if rows:
        shown.append(table("Registered versions", ("Version", "Approval", "Step"), rows))
    if endpoints:
        shown.append(table("Endpoints", ("Endpoint", "What was done", "Step"), endpoints))
    return join(shown)


def _approval(source: ResultSource, version: str) -> str:
    try:
        return packages.approval(packages.version(source.caller, version))
    except (UsageError, CallRefusedError):
        return "no longer there"


def _pictures(page: _Page) -> Iterator[Html]:
    left, shown = _MOST_PICTURED, []
    for output in page.outputs:
        for file in output.pictures:
            if file.size <= left:
                left -= file.size
                shown.append(picture(page.source, output, file))
            else:
                shown.append(element("p", f"{file.name} is too large for this page: {file.place}"))
    if shown:
        yield element("div", shown, class_="pictures")


def _parameters(run: ExecutionResult) -> Html:
    rows = list(run.parameters.items())
    return table("Parameters", ("Parameter", "Value"), rows) if rows else Html("")


def _inputs(page: _Page) -> Iterator[Html]:
    data = [
        (
            one.name,
            element("code", one.fingerprint or ""),
            "" if one.rows is None else f"{one.rows:,}",
            element("code", one.uri),
        )
        for one in data_read(page.source, page.run, page.reports)
    ]
    if data:
        yield table("Data read from outside", ("Input", "Fingerprint", "Rows", "Where"), data)
    code = [
        (name, element("code", one.fingerprint), element("code", one.uri))
        for name, one in code_run(page.run).items()
    ]
    if code:
        yield table("Code", ("Step", "Fingerprint", "Bundle"), code)


def _outputs(page: _Page) -> Html:
    rows = [(one.address, one.sort, str(len(one.files)), _where(one)) for one in page.outputs]
    header = ("Output", "Holds", "Files", "Where")
    return table("What the steps wrote", header, rows) if rows else Html("")


def _where(output: Output) -> Html:
    """Return where an output is; on this machine as a link to the file that shows it."""
    face = output.face
    place = element("code", output.uri)
    if face is None or face.path is None:
        return place
    return element("a", place, href=real(face.path).as_uri())
