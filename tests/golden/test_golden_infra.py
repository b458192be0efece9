"""Each folder of `infra` is a repository; `expected` holds the templates that it gets.

cfn-lint and checkov read the goldens, so that what is linted is what was read. checkov has an
environment of its own (`make checkov`), since it pins an old boto3.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.infra.files import template_files
from pipelines.infra.model import Options
from tests import fast_yaml
from tests.golden.infra_projects import CASES, FOLDER, VERSION, project, stacks_of

ROOT = Path(__file__).parents[2]
CHECKOV = ROOT / ".venv-checkov" / "bin" / "checkov"
MACHINES = FOLDER.parent / "workstation"
REGIONS = {"us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1"}

_CFN_LINT = "from cfnlint.runner import main; main()"
_REGION = re.compile(r"^# Stack .* region (\S+)\.$", re.MULTILINE)


def _goldens(case: str) -> dict[str, Path]:
    return {path.name: path for path in sorted((FOLDER / case / "expected").glob("*.yaml"))}


def _by_region() -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in (path for case in CASES for path in _goldens(case).values()):
        region = _REGION.search(path.read_text("utf-8"))
        assert region is not None, path
        found.setdefault(region[1], []).append(path)
    return found


@pytest.mark.parametrize("case", CASES)
def test_templates_are_what_the_golden_says(
    case: str, tmp_path: Path, *, update_golden: bool
) -> None:
    """A repository gets exactly the bytes of its goldens, and no other file."""
    made = stacks_of(project(case, tmp_path))
    folder = FOLDER / case / "expected"
    written = {f.path.name: f.text for f in template_files(made, folder, Options(version=VERSION))}
    if update_golden:
        folder.mkdir(exist_ok=True)
        for path in _goldens(case).values():
            path.unlink()
        for name, text in written.items():
            (folder / name).write_text(text, "utf-8")
    known = {name: path.read_text("utf-8") for name, path in _goldens(case).items()}
    assert known, "no golden: run pytest --update-golden and read what it wrote"
    assert written == known


@pytest.mark.no_cover
@pytest.mark.parametrize("case", CASES)
def test_the_text_of_a_template_is_its_document(case: str, tmp_path: Path) -> None:
    """YAML reads from the text, comments left out, what the template was built as."""
    for stack in stacks_of(project(case, tmp_path)):
        assert fast_yaml.load(stack.template.text()) == json.loads(
            json.dumps(stack.template.document())
        )


@pytest.mark.slow
@pytest.mark.parametrize("region", sorted(REGIONS))
def test_cfn_lint_finds_nothing(region: str) -> None:
    """Neither an error nor a warning, by the resource types of the stack's own region."""
    files = _by_region()[region]
    command = [sys.executable, "-c", _CFN_LINT, "--regions", region, "--template", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


def test_every_region_has_a_golden() -> None:
    """Four regions of three partitions."""
    assert set(_by_region()) == REGIONS


@pytest.mark.slow
@pytest.mark.skipif(not CHECKOV.exists(), reason="no .venv-checkov: make checkov")
@pytest.mark.parametrize("folder", [FOLDER, MACHINES], ids=lambda folder: folder.name)
def test_checkov_finds_nothing_unexplained(folder: Path, tmp_path: Path) -> None:
    """Each check that is left out says why, at the resource that it is about."""
    words = ("--framework", "cloudformation", "--quiet", "--compact", "--output", "json")
    done = subprocess.run(
        [str(CHECKOV), "--directory", str(folder), *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "LOG_LEVEL": "ERROR"},
    )
    report = json.loads(done.stdout)
    assert report["summary"]["passed"] > 0
    failed = report["results"]["failed_checks"]
    assert {f"{c['check_id']} {c['resource']}: {c['check_name']}" for c in failed} == set()
