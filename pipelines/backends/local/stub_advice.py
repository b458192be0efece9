"""Advice on steps that this machine cannot run: a stub stands for them."""

from __future__ import annotations

from typing import Final

USE_A_STUB: Final = "use a stub: run --stub STEP=FILE"
"""Advice of whoever does not know the step's name, which `in_step` puts into it."""

STUB_FORM: Final = '{"outputs": {"<output>": "<folder>"}}'
"""What is in such a file."""


def in_step(advice: str, step: str) -> str:
    """Return advice on a job as advice on its step."""
    named = USE_A_STUB.replace("STEP", step)
    return advice.replace(USE_A_STUB, f"{named}, with {STUB_FORM} in FILE")
