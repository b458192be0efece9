"""Run the acceptance suite in an account, or clean up after runs: `make acceptance`.

It computes what the run may cost, asks, makes a bucket of its own, runs the tests, deletes what
they made and writes the report.
"""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from pipelines.cost.listing import SERVICE, listed_prices
from pipelines.cost.prices import read_prices
from pipelines.errors import UsageError
from pipelines.images import ImageProblem, resolve
from pipelines.json_types import JsonObject
from tests.acceptance.cleaning import PREFIX, Clients, clean
from tests.acceptance.events import received_in_account
from tests.acceptance.report import write_report
from tests.acceptance.run_plugin import AccountRun, Uses
from tests.acceptance.spending import Plan, SpendingError, planned
from tests.acceptance.target import TAG, Target

SUITE = Path(__file__).parent
ALONE = (
    "-o",
    "addopts=--strict-markers",
    "-o",
    "filterwarnings=default",
    "-p",
    "no:randomly",
    "--tb=line",
)
"""Without what pyproject.toml adds for tests on one machine: no sockets, a limit of time."""


def uses() -> list[tuple[str, float]]:
    """Return what the suite's tests use."""
    plugin = Uses()
    with redirect_stdout(StringIO()):
        code = pytest.main([str(SUITE), "--collect-only", "-q", *ALONE], plugins=[plugin])
    if code != pytest.ExitCode.OK:
        raise SpendingError("the suite cannot be collected: run pytest on tests/acceptance")
    return plugin.found


def plan_of(options: argparse.Namespace, client: Clients) -> Plan:
    """Compute the plan; the user's prices go before listed ones."""
    used = uses()
    prices = (
        {} if options.prices is None else read_prices(options.prices, {what for what, _ in used})
    )
    wanted = {what for what, _ in used} - prices.keys()
    if wanted:
        try:
            pages = client("pricing").get_paginator("get_products")
            prices |= listed_prices(
                lambda filters: (
                    text
                    for page in pages.paginate(ServiceCode=SERVICE, Filters=filters)
                    for text in page["PriceList"]
                ),
                options.region,
                sorted(wanted),
            )
        except (BotoCoreError, ClientError) as error:
            print(f"the Price List API does not answer: {error}")
    return planned(used, prices, options.budget)


def run(options: argparse.Namespace, client: Clients, ask: Callable[[str], str]) -> int:
    """Run the suite; return the exit code, 0 where every fact that was tried holds."""
    try:
        plan = plan_of(options, client)
    except (SpendingError, UsageError) as error:
        print(error, file=sys.stderr)
        return 2
    prefix = f"{PREFIX}{secrets.token_hex(3)}"
    print(
        f"In {options.region}, everything named {prefix}-… and tagged {TAG}:",
        *plan.lines(),
        sep="\n",
    )
    print(f"  at most {plan.dollars:.2f} $ of {options.budget:.2f} $; under an hour")
    if not _is_confirmed(ask):
        print("nothing was started")
        return 1
    target = target_of(options, client, prefix)
    plugin = AccountRun(target)
    code: int = pytest.ExitCode.INTERNAL_ERROR
    try:
        make_bucket(target, options.region)
    except (BotoCoreError, ClientError) as error:
        print(f"nothing was started: the bucket {target.bucket} is not made: {error}")
        return 2
    try:
        code = pytest.main([str(SUITE), "-q", "--tb=line", *ALONE], plugins=[plugin])
    finally:
        problems = _cleaned(client, prefix)
        about: JsonObject = {
            "region": options.region,
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "at most in dollars": round(plan.dollars, 4),
            "left behind": problems or "nothing",
        }
        print(f"report: {write_report(options.report, list(plugin.seen.values()), about)}")
    return int(code or bool(problems))


def target_of(options: argparse.Namespace, client: Clients, prefix: str) -> Target:
    """Return the account as a target."""
    tags = [{"Key": TAG, "Value": prefix}]
    return Target(
        prefix,
        options.role,
        f"{prefix}-data",
        options.image,
        client,
        delay=min(5, options.patience),
        patience=options.patience,
        receives=lambda: received_in_account(client, prefix, options.role, tags),
    )


def _is_confirmed(ask: Callable[[str], str]) -> bool:
    """Ask; nobody at a terminal, and Ctrl-C, is a no."""
    try:
        return ask("Start? Only yes starts it: ").strip() == "yes"
    except (EOFError, KeyboardInterrupt):
        return False


def _cleaned(client: Clients, prefix: str) -> list[str]:
    try:
        problems = clean(client, prefix)
    except (KeyboardInterrupt, BotoCoreError, ClientError) as error:
        problems = [f"cleaning was not finished: {error!r}"]
    for problem in problems:
        print(f"left behind: {problem}; run make acceptance-clean", file=sys.stderr)
    return problems


def make_bucket(target: Target, region: str) -> None:
    """Make the run's bucket; an interruption leaves none."""
    s3, place = target.client("s3"), {"LocationConstraint": region}
    more = {} if region == "us-east-1" else {"CreateBucketConfiguration": place}
    try:
        s3.create_bucket(Bucket=target.bucket, **more)
        s3.put_bucket_tagging(Bucket=target.bucket, Tagging={"TagSet": target.tags})
    except BaseException:  # without its tag the cleaning would leave it, after Ctrl-C as well
        with suppress(ClientError):  # it may not have been made
            s3.delete_bucket(Bucket=target.bucket)
        raise


def parsed(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance.account")
    parser.add_argument("what", choices=["run", "clean"])
    parser.add_argument("--profile", required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--budget", type=float, default=0.0, help="dollars")
    parser.add_argument("--role", default="", help="the ARN of the execution role of pipelines")
    parser.add_argument(
        "--image", default="", help="URI of the sklearn image, if not the usual one"
    )
    parser.add_argument("--prices", type=Path, help="JSON: dollars per hour by instance")
    parser.add_argument("--report", type=Path, default=Path("build/acceptance"))
    parser.add_argument(
        "--patience", type=float, default=1800, help="seconds after which a wait has failed"
    )
    options = parser.parse_args(words)
    if options.what == "run" and not (options.role and options.budget > 0):
        parser.error("run needs --role and a --budget above 0")
    return options


def main() -> int:
    """Run or clean, in the account of a profile."""
    import boto3  # noqa: PLC0415 - takes a while

    options = parsed(sys.argv[1:])
    for number in (signal.SIGTERM, signal.SIGHUP):  # as Ctrl-C: what was made is deleted
        signal.signal(number, signal.default_int_handler)
    session: Any = boto3.Session(profile_name=options.profile, region_name=options.region)

    @cache
    def client(service: str) -> Any:
        place = {"region_name": "us-east-1"} if service == "pricing" else {}
        return session.client(service, **place)

    if options.what == "clean":
        return int(bool(_cleaned(client, PREFIX)))
    options.image = options.image or sklearn_image(options.region)
    return run(options, client, input)


def sklearn_image(region: str) -> str:
    """Return the smallest image with Python that SageMaker has in a region."""
    image = resolve("sklearn-1.4-2", region, None, "training")
    if isinstance(image, ImageProblem):
        sys.exit(f"there is no sklearn image in {region}: name one with IMAGE=<URI>")
    return image.uri


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
