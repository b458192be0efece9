"""`--sample flights=1%:origin` → the share of an entry of `data:`, and what is in it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from pipelines.errors import UsageError
from pipelines.frozen import frozen

_FORM = re.compile(r"(?P<entry>[^=]+)=(?P<percent>[0-9]+(\.[0-9]+)?)%(:(?P<column>.+))?")
_ALL = 100.0
_HASHES = 1 << 64


@frozen
class Share:
    """The part of an entry that is sampled.

    Args:
        entry: its name in `data:`.
        percent: above 0 and at most 100.
        column: whose values decide; None for whole rows.
    """

    entry: str
    percent: float
    column: str | None = None

    def holds(self, content: bytes) -> bool:
        """Return whether a row, or the value of its key, is in the sample."""
        number = int.from_bytes(hashlib.sha256(content).digest()[:8], "big")
        return number < self.percent / _ALL * _HASHES

    def __str__(self) -> str:
        """Write it as on the command line."""
        column = "" if self.column is None else f":{self.column}"
        return f"{self.entry}={self.percent:.15g}%{column}"


def read_shares(given: Iterable[str]) -> tuple[Share, ...]:
    """Read `--sample` options.

    Raises:
        UsageError: one is not ENTRY=PERCENT%, or an entry is given twice.
    """
    shares: dict[str, Share] = {}
    for text in given:
        found = _FORM.fullmatch(text)
        if found is None:
            raise UsageError(
                f"`--sample {text}` is not ENTRY=PERCENT%",
                "write --sample flights=1%, or all rows of sampled keys: flights=1%:origin",
            )
        share = Share(found["entry"], float(found["percent"]), found["column"])
        if not 0 < share.percent <= _ALL:
            raise UsageError(
                f"`--sample {text}`: a share is above 0% and at most 100%", f"{share.entry}=1%"
            )
        if share.entry in shares:
            raise UsageError(f"`{share.entry}` is sampled twice", "keep one --sample of it")
        shares[share.entry] = share
    return tuple(shares.values())
