"""A job's environment: what the service sets and what Python needs, but no access to AWS."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from pipelines.backends.local.jobs.installed import withheld
from pipelines.backends.local.jobs.opt_ml import rewrite
from pipelines.backends.local.settings import LocalApi
from pipelines.runtime.tracking import URI_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipelines.backends.local.jobs.spec import JobHost, LocalJob
    from pipelines.backends.local.settings import LocalSettings

CLOSED_PORT = "http://127.0.0.1:1"  # where nothing listens

_PASSED = re.compile(
    r"PIP_.*|UV_.*|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|(HTTPS?|ALL|NO)_PROXY"
    r"|HOME|LANG|LC_.*|TZ|(DY)?LD_LIBRARY_PATH|CUDA_.*|NVIDIA_.*|XDG_CACHE_HOME|SYSTEMROOT"
    r"|PIPELINES_ARCHIVE_GIB",
    re.IGNORECASE,
)
_LEADS_TO_AWS = re.compile(
    r"AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|SECURITY_TOKEN|(DEFAULT_)?PROFILE"
    r"|CONFIG_FILE|SHARED_CREDENTIALS_FILE|ROLE_.*|WEB_IDENTITY_.*|CONTAINER_.*"
    r"|ENDPOINT_URL.*|IGNORE_CONFIGURED_ENDPOINT_URLS|EC2_METADATA_.*|LOGIN_.*)"
)
_PYTHON = re.compile(r"(?:.*/)?python(?:3(?:\.\d+)?)?")


def withheld_variables(requested: Mapping[str, str]) -> list[str]:
    """List the requested variables that could lead a job to real AWS; they are not passed on."""
    return sorted(name for name in requested if _LEADS_TO_AWS.fullmatch(name))


def host_environment(
    job: LocalJob,
    host: JobHost,
    settings: LocalSettings,
    *,
    requested: Mapping[str, str],
    outside: Mapping[str, str],
) -> dict[str, str]:
    """Build the whole environment of one host.

    Args:
        job: the job.
        host: the host.
        settings: how this machine stands in for SageMaker.
        requested: the request's `Environment` and what the service adds for this kind of job.
        outside: the tool's own environment; only PATH, HOME, the locale, pip's configuration,
            certificates and proxies are passed on.
    """
    path = outside.get("PATH") or os.defpath
    variables = {name: value for name, value in outside.items() if _PASSED.fullmatch(name)}
    variables.setdefault("HOME", str(job.scratch))
    variables.setdefault("LANG", "C.UTF-8")
    variables |= _no_proxy_for(job, outside)
    variables |= {
        "PATH": f"{settings.interpreter.absolute().parent}{os.pathsep}{path}",
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(job.scratch),
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
    }
    if len(job.hosts) > 1:
        # The hosts share this machine's cores; otherwise each would start a thread per core.
        variables["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // len(job.hosts)))
    refused = set(withheld_variables(requested))
    passed = {name: value for name, value in requested.items() if name not in refused}
    variables |= rewrite(job, host, passed)
    if job.isolation == "rewrite":
        variables["PIPELINES_OPT_ML"] = str(host.ml)
    project = settings.home.absolute().parent
    for name, value in withheld(project, settings.lent).items():
        given = variables.get(name) if name == "PYTHONPATH" else None
        variables[name] = os.pathsep.join(filter(None, [value, given]))
    variables[URI_VARIABLE] = (settings.home / "mlflow").absolute().as_uri()
    variables["PIPELINES_ENV_DIR"] = str((settings.home / "env").absolute())
    return variables | _no_aws_access(host, settings)


def _no_aws_access(host: JobHost, settings: LocalSettings) -> dict[str, str]:
    empty = str(host.root / "no-aws-config")
    api = settings.api or LocalApi(CLOSED_PORT)
    return {
        "AWS_ACCESS_KEY_ID": api.credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": api.credentials.secret_key,
        "AWS_CONFIG_FILE": empty,
        "AWS_SHARED_CREDENTIALS_FILE": empty,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": api.url,
    }


def _no_proxy_for(job: LocalJob, outside: Mapping[str, str]) -> dict[str, str]:
    """Exempt traffic between the hosts, and to the local API, from proxies."""
    known = outside.get("no_proxy") or outside.get("NO_PROXY") or ""
    local = ["localhost", "127.0.0.1", *(host.name for host in job.hosts)]
    names = ",".join([known, *local] if known else local)
    return {"no_proxy": names, "NO_PROXY": names}


def is_python(word: str) -> bool:
    """Return whether the first word of a command names Python."""
    return _PYTHON.fullmatch(word) is not None


def command_words(
    job: LocalJob, host: JobHost, words: Sequence[str], settings: LocalSettings
) -> tuple[str, ...]:
    """Turn a container's argument list into one for this machine.

    A first word that names Python (bare, or by its path in an image) becomes the tool's
    interpreter; paths below /opt/ml are rewritten where there are no namespaces.
    """
    first, *rest = rewrite(job, host, list(words))
    if is_python(first):
        first = str(settings.interpreter.absolute())
    return (first, *rest)
