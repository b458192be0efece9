"""`endpoints show`: one endpoint, what it serves, and what the deployer would do next."""

from __future__ import annotations

from collections.abc import Iterator

import click

from pipelines.cli.commands.endpoints import as_object
from pipelines.cli.deployments import how_to_invoke, stubs_of
from pipelines.cli.endpoints import TIME, SeenDeployment, find_deployment, look, moment
from pipelines.cli.options import ChosenSpec, format_option, local_option, spec_options
from pipelines.cli.printing import as_json, echo, echo_data
from pipelines.cli.target import CommandTarget, open_target
from pipelines.json_types import JsonObject
from pipelines.programs.deploy.batch import input_of


@click.command("show")
@spec_options
@local_option
@format_option("text", "json")
@click.argument("endpoint")
def COMMAND(  # noqa: N802 - found by this name
    chosen: ChosenSpec,
    local: bool,  # noqa: FBT001 - click's flag
    output_format: str,
    endpoint: str,
) -> None:
    """Show one endpoint: version, settings, instances, and its last deployment."""
    with open_target(chosen, local) as target:
        found = look(target, find_deployment(target, endpoint))
        described = _described(target, found)
    if output_format == "json":
        variants = described.get("ProductionVariants", [])
        shown = {**as_object(found), "variants": variants, "config_content": described["config"]}
        echo_data(as_json(shown))
        return
    rows = [*_rows(found), *_of_service(described)]
    width = max(len(word) for word, _ in rows)
    echo("\n".join(f"{word:<{width}}  {text}" for word, text in rows))
    if found.live is not None and not found.deployment.batch:
        echo(how_to_invoke(target, found.deployment))


def _described(target: CommandTarget, found: SeenDeployment) -> JsonObject:
    """Describe the endpoint and its config, which stands under `config`."""
    state = found.state.endpoint
    if state is None:
        return {"config": None}
    name, call = found.deployment.endpoint, target.account.call
    described = call("sagemaker", "describe_endpoint", EndpointName=name)
    config = call("sagemaker", "describe_endpoint_config", EndpointConfigName=state.config)
    config.pop("ResponseMetadata", None)
    return {**described, "config": config}


def _rows(found: SeenDeployment) -> Iterator[tuple[str, str]]:
    endpoint = found.state.endpoint
    is_batch = bool(found.deployment.batch)
    yield ("batch" if is_batch else "endpoint"), found.deployment.name
    yield "status", found.status
    if endpoint is not None and endpoint.failure:
        yield "failure", endpoint.failure
    yield "group", found.deployment.group
    if found.live is not None:
        yield "version", f"{found.version} ({found.live.approval})"
    elif endpoint is not None:
        yield "version", f"none of the group: {endpoint.package or 'no model package'}"
    yield "mode", found.mode
    if is_batch:
        yield "input", input_of(found.deployment)
        yield "output", found.deployment.batch["TransformOutput"]["S3OutputPath"]
        yield "jobs", f"{found.deployment.endpoint}-…"
    if endpoint is not None:
        yield "config", endpoint.config
    for message in found.messages:
        yield "next", message
    for attempt in found.state.attempts[-1:]:
        said = f"{moment(attempt.started)} {attempt.outcome} {attempt.reason}"
        yield "last deployment", said.rstrip()
    yield "history", found.deployment.history


def _settings(variant: JsonObject) -> str:
    """Write what a variant runs on: `2 x ml.m5.large`, `2048 MB, at most 5 requests at once`."""
    serverless = variant.get("ServerlessConfig")
    if serverless is not None:
        kept = serverless.get("ProvisionedConcurrency")
        warm = (f"{kept} of them kept warm",) if kept else ()
        most = f"at most {serverless['MaxConcurrency']} requests at once"
        return ", ".join((f"{serverless['MemorySizeInMB']} MB", most, *warm))
    pools = sorted(variant.get("InstancePools", ()), key=lambda one: one.get("Priority", 1))
    types = [one["InstanceType"] for one in pools] or [variant.get("InstanceType", "unknown")]
    volume = variant.get("VolumeSizeInGB")
    storage = (f"{volume} GB of storage each",) if volume else ()
    count = variant.get("InitialInstanceCount", 1)
    return ", ".join((f"{count} x {' or '.join(types)}", *storage))


def _of_config(config: JsonObject) -> Iterator[tuple[str, str]]:
    """Yield what a config says beside its variants."""
    capture = config.get("DataCaptureConfig")
    if capture and capture.get("EnableCapture"):
        kept = " and ".join(one["CaptureMode"].lower() for one in capture["CaptureOptions"])
        share = f"{capture['InitialSamplingPercentage']} % of the requests, {kept}"
        yield "captured", f"{share}, below {capture['DestinationS3Uri']}"
    asynchronous = config.get("AsyncInferenceConfig")
    if asynchronous:
        output = asynchronous["OutputConfig"]
        yield "answers", f"below {output['S3OutputPath']}"
        if "S3FailurePath" in output:
            yield "errors", f"below {output['S3FailurePath']}"
        topics = output.get("NotificationConfig") or {}
        for word, member in (("success", "SuccessTopic"), ("error", "ErrorTopic")):
            if member in topics:
                yield f"topic of {word}", topics[member]


def _of_service(described: JsonObject) -> Iterator[tuple[str, str]]:
    """Yield what the service knows of the endpoint: its variants and when it was changed."""
    config = described["config"] or {}
    sorts = ("ProductionVariants", "ShadowProductionVariants")
    for variant in (one for sort in sorts for one in config.get(sort) or ()):
        yield "variant", f"{variant['VariantName']}: {_settings(variant)}"
    yield from _of_config(config)
    for name, reason in stubs_of(described):
        yield "stub", f"{name}: {reason}"
    for variant in described.get("ProductionVariants", ()):
        if "CurrentInstanceCount" in variant:
            yield "instances", f"{variant['VariantName']}: {variant['CurrentInstanceCount']}"
    for word, member in (("created", "CreationTime"), ("changed", "LastModifiedTime")):
        if member in described:
            yield word, described[member].astimezone().strftime(TIME)
