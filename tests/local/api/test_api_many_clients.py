"""Twelve clients at once."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from tests.everything import EVERYTHING
from tests.local.api.conftest import Served

SECONDS = 60 if EVERYTHING else 2
"""How long they register."""


def test_twelve_clients_at_once_lose_nothing(served: Served) -> None:
    """Every version that one of them was told of is listed, and none is told to two of them."""
    clients = [served.client("sagemaker") for _ in range(12)]
    clients[0].create_model_package_group(ModelPackageGroupName="g")
    end = time.monotonic() + SECONDS

    def register(number: int) -> list[str]:
        made: list[str] = []
        while time.monotonic() < end:
            created = clients[number].create_model_package(ModelPackageGroupName="g")
            made.append(created["ModelPackageArn"])
        return made

    with ThreadPoolExecutor(len(clients)) as pool:
        made = [arn for arns in pool.map(register, range(len(clients))) for arn in arns]
    pages = clients[0].get_paginator("list_model_packages").paginate(ModelPackageGroupName="g")
    listed = [one["ModelPackageArn"] for page in pages for one in page["ModelPackageSummaryList"]]
    assert sorted(listed) == sorted(made)
