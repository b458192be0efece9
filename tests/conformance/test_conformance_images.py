"""The image tables against the SageMaker SDK itself, in the SDK's own interpreter."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import pytest

from pipelines import images
from pipelines.images import Image, ImageProblem, Scope
from pipelines.json_types import JsonObject
from tests.everything import EVERYTHING

ROOT = Path(__file__).resolve().parents[2]
TABLES = ROOT / "pipelines" / "images" / "tables"
STEP = 1 if EVERYTHING else 7
INSTANCES = {"cpu": "ml.m5.xlarge", "gpu": "ml.g5.xlarge", "any": "ml.m5.xlarge"}

# Runs in the SDK's interpreter: reads questions, asks `retrieve`, writes answers. The SDK reads
# its configuration anew for each question; keeping it makes thousands of them affordable.
ORACLE = """
import functools, json, logging, sys
logging.disable(logging.CRITICAL)
from sagemaker.core import image_uris
image_uris.config_for_framework = functools.cache(image_uris.config_for_framework)
image_uris.utils._botocore_resolver = functools.cache(image_uris.utils._botocore_resolver)
answers = []
for question in json.load(sys.stdin):
    try:
        answers.append(image_uris.retrieve(**question))
    except ValueError as problem:
        answers.append("ValueError: " + str(problem))
json.dump(answers, sys.stdout)
"""


def _oracle() -> Path:
    """Return the SDK's interpreter, or skip."""
    given = os.environ.get("PIPELINES_ORACLE_PYTHON")
    python = Path(given) if given else ROOT / ".venv-oracle" / "bin" / "python"
    if not python.is_file():
        pytest.skip(
            "no interpreter with the SageMaker SDK: set PIPELINES_ORACLE_PYTHON, or install "
            "sagemaker into .venv-oracle"
        )
    return python


def _question(family: str, version: str, scope: str, versions: JsonObject) -> JsonObject:
    """Return how the SDK calls one version: its framework, and the parts of the version."""
    question: JsonObject = {"framework": family, "version": version, "image_scope": scope}
    if family == "huggingface":
        head, _, number = version.partition("-transformers-")
        return {**question, "version": number, "base_framework_version": head.replace("-", "")}
    if family == "sklearn":  # `1.4-2-py312` is one of its versions
        return question
    number, _, _ = version.partition("-py")
    tag = next(iter(versions[version]["tags"].values()))
    python = re.search(r"-(py\d+)", tag)
    question |= {"version": number, "py_version": python[1] if python else None}
    if family == "pytorch" and versions[version]["repository"] == "pytorch":
        question["framework"] = "pytorch-amzn2023"
    return question


def _rows(family: str) -> Iterator[tuple[JsonObject, tuple[str, str, str, Scope]]]:
    """Yield every question of a family as the SDK and as our table is asked."""
    table = json.loads((TABLES / f"{family}.json").read_text())
    scopes: dict[Scope, JsonObject] = table["scopes"]
    for scope, found in scopes.items():
        for version, entry in found["versions"].items():
            question = _question(family, version, scope, found["versions"])
            for processor in entry["tags"]:
                suffix = "" if processor == "any" else f"-{processor}"
                instance = INSTANCES[processor]
                for region in table["registries"][entry["registries"]]:
                    asked = {**question, "region": region, "instance_type": instance}
                    yield asked, (f"{family}-{version}{suffix}", region, instance, scope)


@pytest.mark.slow
def test_every_image_of_every_region_is_the_one_that_the_sdk_retrieves() -> None:
    """Thousands of URIs per family: version x Python x processor x region, both scopes.

    Every push asks for each seventh, which are of all versions, processors and regions.
    """
    python = _oracle()
    rows = []
    for asked, question in islice(
        chain.from_iterable(map(_rows, images.families())), 0, None, STEP
    ):
        image = images.resolve(*question)
        assert isinstance(image, Image), (question, image)
        rows.append((asked, image.uri))
    answer = subprocess.run(
        [python, "-c", ORACLE],
        input=json.dumps([question for question, _ in rows]),
        capture_output=True,
        text=True,
        check=True,
        timeout=280,
    )
    expected = json.loads(answer.stdout)
    wrong = [
        (question, ours, theirs)
        for (question, ours), theirs in zip(rows, expected, strict=True)
        if ours != theirs
    ]
    assert not wrong, f"{len(wrong)} of {len(rows)}, as {wrong[:3]}"


def test_the_tables_are_what_the_generator_writes_from_the_installed_sdk() -> None:
    """A newer SDK configuration shows up here, and `tools/generate_images.py` takes it over."""
    python = _oracle()
    installed = subprocess.run(
        [python, "-c", "import importlib.metadata as m; print(m.version('sagemaker-core'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    recorded = {json.loads(path.read_text())["sdk"] for path in TABLES.glob("*.json")}
    if recorded != {installed}:
        pytest.skip(f"the tables are of sagemaker-core {recorded}, installed is {installed}")
    checked = subprocess.run(
        [python, ROOT / "tools" / "generate_images.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_name_without_an_image_is_a_problem_and_not_an_exception() -> None:
    """Every family refuses a version that never was."""
    for family in images.families():
        found = images.resolve(f"{family}-0.0.1", "us-east-1", None, "training")
        assert isinstance(found, ImageProblem)
