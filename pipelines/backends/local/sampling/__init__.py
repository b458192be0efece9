"""Local data of a compiled pipeline → a sample of it, the same on every machine.

A row is in a sample if the hash of its content, or of its value in one column, is small enough:
neither the order of rows and files nor a seed matters, and the same keys are taken of all data that
is sampled by them. `tables.py` reads and writes the files.
"""

from pipelines.backends.local.sampling.sample import require_rows, sampled
from pipelines.backends.local.sampling.share import Share, read_shares
from pipelines.backends.local.sampling.shipping import shipping

__all__ = ["Share", "read_shares", "require_rows", "sampled", "shipping"]
