"""Whether this is `make everything`: at full size what every push tries a few times."""

from __future__ import annotations

import os
from typing import Final

EVERYTHING: Final = "PIPELINES_EVERYTHING" in os.environ
