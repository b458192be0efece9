"""`ci workstation`: a spec → the template of a machine to develop it on."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Final, TypedDict, Unpack

import click

from pipelines.cli.generating import FOLDER
from pipelines.cli.options import ChosenSpec, report, spec_options, writing
from pipelines.cli.printing import echo
from pipelines.cli.repository import Repository, holds_a_secret
from pipelines.compile.driver import compile_spec
from pipelines.definition.needs import needs_of
from pipelines.errors import UsageError
from pipelines.files import put
from pipelines.infra.files import State, TemplateFile, machine_file
from pipelines.infra.model import Environment, Options
from pipelines.infra.wheel import tool_wheel
from pipelines.infra.workstation import stack_name
from pipelines.infra.workstation_choices import AMI, BRANCH, REPOSITORY, Workstation, ami_of

_TYPE: Final = r"[a-z][a-z0-9-]*\.[a-z0-9-]+"


class Asked(TypedDict):
    """The options that say which machine."""

    instance_type: str
    ami: str | None
    repository: str | None
    branch: str


@click.command("workstation")
@spec_options
@click.option("--instance-type", default="g6.xlarge", show_default=True, help="As EC2 writes it.")
@click.option("--ami", metavar="PARAMETER", help="The SSM parameter of another AMI.")
@click.option("--repository", metavar="URL", help="By default the remote origin.")
@click.option("--branch", default="main", show_default=True, help="The branch to check out.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=FOLDER,
    show_default=True,
    help="Folder for the template.",
)
@click.option("--force", is_flag=True, help="Replace a template that was edited, too.")
def COMMAND(  # noqa: N802 - found by this name
    chosen: ChosenSpec,
    output: Path,
    force: bool,  # noqa: FBT001 - click's flag
    **asked: Unpack[Asked],
) -> None:
    """Write a template of one EC2 instance to develop on, from a Deep Learning AMI.

    It is reached through Session Manager alone, stops when it is idle, and has the project checked
    out, JupyterLab, and the frameworks of the AMI.
    """
    _require(asked)
    environment, images = _opened(chosen)
    tool = tool_wheel()
    options = Options(version=tool.version, digest=tool.digest, command=_typed())
    wanted = Workstation(
        file=str(chosen.file),
        environment=environment,
        instance_type=asked["instance_type"],
        ami=asked["ami"] or ami_of(asked["instance_type"], images),
        repository=_repository(chosen) if asked["repository"] is None else asked["repository"],
        branch=asked["branch"],
        wheel=f"s3://{environment.aws.bucket}/{options.wheel_key}",
    )
    file = machine_file(output / f"{environment.prefix}-workstation.yaml", wanted, options)
    for warning in Repository(chosen.file).warnings if asked["repository"] is None else ():
        echo(f"warning: {warning}", err=True)
    _put(file, force)
    _say_what_to_do(chosen, environment, file.path)


def _typed() -> str:
    """Return the command as it was typed, for whoever wants the template made again."""
    context = click.get_current_context()
    words = ["python", "-m", "pipelines", "ci", "workstation"]
    for option in context.command.params:
        value = context.params.get(option.name or "")
        is_given = value is not None and str(value) != str(option.default)
        if isinstance(option, click.Option) and not option.is_flag and is_given:
            words += [option.opts[-1], str(value)]
    return shlex.join(words)


def _require(asked: Asked) -> None:
    """Refuse what no machine can be made of."""
    kind = asked["instance_type"]
    if kind.startswith("ml."):
        raise UsageError(
            f"`{kind}` is how SageMaker writes it",
            f"write `{kind.removeprefix('ml.')}`: the machine is one of EC2",
        )
    if kind.startswith(("trn", "inf")) and asked["ami"] is None:
        raise UsageError(
            f"the AMIs known here have no drivers for `{kind}`",
            "name the SSM parameter of a Neuron AMI with --ami",
        )
    if holds_a_secret(asked["repository"] or ""):
        raise UsageError(
            "the URL of --repository holds a password or a token, and the template would have it",
            "give the URL without it: whoever opens a session on the machine signs in there",
        )
    for given, pattern, what, advice in (
        (kind, _TYPE, "no instance type", "write a family and a size: `g6.xlarge`"),
        (asked["ami"], AMI, "no name of an SSM parameter", "it begins with `/`"),
        (asked["repository"], REPOSITORY, "nothing that git clones", "give a URL"),
        (asked["branch"], BRANCH, "no name of a branch", "give letters, digits and `/._+-`"),
    ):
        if given is not None and not re.fullmatch(pattern, given):
            raise UsageError(f"`{given}` is {what}", advice)


def _opened(chosen: ChosenSpec) -> tuple[Environment, tuple[str, ...]]:
    """Return the pipeline in its account, and the images that its steps run in."""
    result = compile_spec(chosen.request())
    report(result.checked, chosen.file, err=True)
    if result.compiled is None or result.checked.graph is None:
        raise UsageError("nothing was written", "correct the spec first")
    spec = result.checked.graph.spec
    if spec.aws is None:
        raise UsageError(
            f"{chosen.file} names no account", "add `aws:` with role, region and bucket"
        )
    environment = Environment(chosen.env, spec, result.compiled)
    return environment, needs_of(json.loads(result.compiled.definition)).images


def _repository(chosen: ChosenSpec) -> str:
    """Return where the spec's repository is cloned from; empty where it has no remote."""
    remote = Repository(chosen.file).remote
    return f"https://{remote[0]}/{remote[1]}.git" if remote else ""


def _put(file: TemplateFile, force: bool) -> None:  # noqa: FBT001 - the flag as it was given
    if file.state is State.EDITED and not force:
        raise UsageError(
            f"{file.path} was edited by hand: nothing was written",
            "move the additions into a file of your own, then add --force to replace it",
        )
    with writing(file.path.parent):
        put(file.path, file.text.encode())
    echo(f"{file.state.past} {file.path}")


def _say_what_to_do(chosen: ChosenSpec, environment: Environment, path: Path) -> None:
    region = environment.place.region
    name = f"{stack_name(environment)}-$USER"
    echo(
        "`ci apply` uploads the tool that it installs. Choose a subnet with a way to the internet,"
    )
    echo("make it, and see how to enter:")
    echo(
        f"  aws ec2 describe-subnets --region {region} --output table"
        " --query 'Subnets[].[VpcId,SubnetId,AvailabilityZone,MapPublicIpOnLaunch]'"
    )
    echo(
        f"  aws cloudformation deploy --region {region} --stack-name {name}"
        f" --template-file {shlex.quote(str(path))} --capabilities CAPABILITY_NAMED_IAM"
        " --parameter-overrides VpcId=VPC SubnetId=SUBNET"
    )
    echo(
        f"  aws cloudformation describe-stacks --region {region} --stack-name {name}"
        " --query 'Stacks[0].Outputs' --output table"
    )
    echo(f"who may do that: python -m pipelines ci permissions --workstation{chosen.flags()}")
