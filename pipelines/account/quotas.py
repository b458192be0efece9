"""Quotas of an account: read from Service Quotas, and kept with their date for `plan`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Final

from pipelines.account.account import Account
from pipelines.files import put
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_KEPT: Final = "quotas.json"


@frozen
class KnownQuotas:
    """Quotas by name, and the day on which they were read; empty where they never were."""

    values: Mapping[str, float] = field(default_factory=dict)
    date: str = ""


def quota_name(usage: str, instance_type: str) -> str:
    """Return what Service Quotas calls the number of instances for a usage."""
    return f"{instance_type} for {usage} usage"


def read_quotas(account: Account) -> dict[str, float]:
    """Read SageMaker's quotas of an account.

    Raises:
        CallRefusedError: they may not be read.
    """
    listed = account.pages(
        "service-quotas", "list_service_quotas", "Quotas", ServiceCode="sagemaker"
    )
    return {str(quota["QuotaName"]): float(quota["Value"]) for quota in listed}


def keep_quotas(home: Path, where: str, values: Mapping[str, float], date: str) -> None:
    """Keep quotas that were read.

    Args:
        home: the folder `.pipelines` of a project.
        where: the account and the region, as `111122223333/eu-central-1`.
        values: the quotas by name.
        date: the day.
    """
    home.mkdir(exist_ok=True)
    entry = {"date": date, "quotas": dict(sorted(values.items()))}
    put(home / _KEPT, json.dumps({**_kept(home), where: entry}, indent=2).encode())


def known_quotas(home: Path, where: str) -> KnownQuotas:
    """Return the quotas that were kept; what somebody else wrote there is not known."""
    entry = _kept(home).get(where)
    if not isinstance(entry, dict) or not isinstance(entry.get("quotas"), dict):
        return KnownQuotas()
    values = {name: float(one) for name, one in entry["quotas"].items() if _is_number(one)}
    return KnownQuotas(values, str(entry.get("date")))


def _kept(home: Path) -> JsonObject:
    try:
        kept = json.loads((home / _KEPT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # it is read again by `doctor`
    return kept if isinstance(kept, dict) else {}


def _is_number(value: Json) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value)
