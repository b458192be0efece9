"""How this machine stands in for SageMaker: what a run, a job and the local API are told."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pipelines.frozen import frozen

if TYPE_CHECKING:
    from pipelines.backends.local.simulations.reading import Simulated


@frozen
class ApiCredentials:
    """What callers of the local API sign their requests with; nobody verifies the default."""

    access_key: str = "local"
    secret_key: str = "local"  # noqa: S105 - as good as none


@frozen
class LocalApi:
    """The local SageMaker over HTTP: where it is, and what its callers sign with."""

    url: str
    credentials: ApiCredentials = ApiCredentials()


@frozen
class LocalSettings:
    """How this machine stands in for SageMaker.

    Args:
        home: the `.pipelines` folder.
        isolation: `namespaces` gives a job its real /opt/ml; `rewrite` rewrites the paths in
            arguments, environment and config files; `auto` uses namespaces if they are
            available.
        interpreter: the Python that stands for `python3` in every image.
        region: the region of generated ARNs.
        account: the account id of generated ARNs, 12 digits.
        api: the local HTTP API for jobs, which `run` and `serve` set per execution
            (`RunOptions`); without one jobs get a closed loopback port, so that nothing reaches
            AWS by accident.
        callers: how the API recognises its owner's programs: by the `user` of a connection, by
            the `signature` of a request, or `auto`: by the user where the system knows it.
        lent: the file with the modules that a job may import; None lends it all that is here.
        simulated: what happens in a job as in an account: cases by simulation.
        grace: seconds that a job has between SIGTERM and SIGKILL; 120 in the service.
    """

    home: Path
    interpreter: Path
    isolation: Literal["auto", "namespaces", "rewrite"] = "auto"
    region: str = "us-east-1"
    account: str = "000000000000"
    api: LocalApi | None = None
    callers: Literal["auto", "user", "signature"] = "auto"
    lent: Path | None = None
    simulated: Simulated = field(default_factory=dict)
    grace: float = 10.0

    def arn(self, resource: str) -> str:
        """Return the ARN of a SageMaker resource such as `model-package/flights/3`."""
        family = self.region.split("-")
        partition = "aws-cn" if family[0] == "cn" else "aws-us-gov" if "gov" in family else "aws"
        return f"arn:{partition}:sagemaker:{self.region}:{self.account}:{resource}"
