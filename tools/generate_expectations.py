"""Write what each expectation of Great Expectations takes, for `validate` at the desk.

The library takes seconds to import; its types and their arguments are known without it from
`pipelines/programs/validate/expectations.json`.

    python tools/generate_expectations.py
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Final

TARGET: Final = (
    Path(__file__).resolve().parents[1]
    / "pipelines"
    / "programs"
    / "validate"
    / "expectations.json"
)


def expectations() -> str:
    """Return the table as JSON: what all types take, and of each what it requires and takes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the deprecations of what it imports
        from great_expectations.expectations import registry  # noqa: PLC0415 - takes seconds

    fields = {
        name: registry.get_expectation_impl(name).__fields__
        for name in sorted(registry.list_registered_expectation_implementations())
    }
    common = set.intersection(
        *({key for key in of if not of[key].required} for of in fields.values())
    )
    types = {
        name: {
            "required": sorted(key for key in of if of[key].required),
            "optional": sorted(key for key in of if not of[key].required and key not in common),
        }
        for name, of in fields.items()
    }
    lines = [f"  {json.dumps(name)}: {json.dumps(of)}" for name, of in types.items()]
    whole = ",\n".join(lines)
    return f'{{\n "common": {json.dumps(sorted(common))},\n "types": {{\n{whole}\n }}\n}}\n'


if __name__ == "__main__":
    TARGET.write_text(expectations(), encoding="utf-8")
