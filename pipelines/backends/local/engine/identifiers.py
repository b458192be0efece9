"""Names that the service makes up: execution ids, ARNs, job names (FACTS 11.7)."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Callable
from typing import TypeAlias

Token: TypeAlias = Callable[[int], str]
"""Makes a random word of lower-case letters and digits of the given length."""

_ALPHABET = string.ascii_lowercase + string.digits
_STEP_LENGTH = 20
_TOKEN_LENGTH = 10
EXECUTION_ID_LENGTH = 12


def random_token(length: int) -> str:
    """Draw a word from the system's randomness."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def job_name(execution: str, step: str, attempt: int, token: Token) -> str:
    """Name the job of an attempt, counted from 1: `pipelines-<id>-<step>-<token>-<failures>`.

    Job names know no underscore, and at most 63 characters.
    """
    word = re.sub(r"[^A-Za-z0-9-]", "-", step)[:_STEP_LENGTH].strip("-") or "step"
    return f"pipelines-{execution}-{word}-{token(_TOKEN_LENGTH)}-{attempt - 1}"
