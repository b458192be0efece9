"""Model archives that lead out of their folder, or are none, are refused."""

from __future__ import annotations

import pytest

from tests.local.e2e.tiny_project import Project

FAILED = 5
SPEC = """\
    spec: 1
    pipeline: tiny
    defaults:
      image: sklearn-1.9-cpu
    x-ran: &ran
      RAN: ${env.RAN}
    steps:
      craft:
        kind: processing
        script: steps/craft.py
        environment: *ran
        outputs: [model]
      evaluate:
        kind: evaluation
        script: steps/evaluate.py
        environment: *ran
        model: ${steps.craft.model}
      register:
        kind: registration
        group: tiny
        model: ${steps.craft.model}
        serving:
          source: serving/
          image: sklearn-1.9-cpu
    """
CRAFT = """\
import io
import tarfile

path = Path(os.environ["SM_OUT_MODEL"], "model.tar.gz")

def member(name, **more):
    info = tarfile.TarInfo(name)
    for key, value in more.items():
        setattr(info, key, value)
    return info

"""
WRITE = """\
with tarfile.open(path, "w:gz") as archive:
    one = member("good.txt", size=4)
    archive.addfile(one, io.BytesIO(b"good"))
    {}
"""
OUT = "escaped.txt"
CASES = {
    "a member above the folder": (
        f'archive.addfile(member("../../{OUT}", size=3), io.BytesIO(b"bad"))',
        f"../../{OUT}",
    ),
    "an absolute member": (
        f'archive.addfile(member("{{folder}}/{OUT}", size=3), io.BytesIO(b"bad"))',
        OUT,
    ),
    "a link that leads out": (
        'archive.addfile(member("link", type=tarfile.SYMTYPE, linkname="../../../etc/passwd"))',
        "link",
    ),
    "a hard link that leads out": (
        'archive.addfile(member("link", type=tarfile.LNKTYPE, linkname="../../../etc/passwd"))',
        "../../../etc/passwd",
    ),
    "a file through a link": (
        (
            'archive.addfile(member("up", type=tarfile.SYMTYPE, linkname="{folder}"))\n'
            f'    archive.addfile(member("up/{OUT}", size=3), io.BytesIO(b"bad"))'
        ),
        "up",
    ),
    "a device": ('archive.addfile(member("null", type=tarfile.CHRTYPE))', "null"),
}


@pytest.fixture
def crafted(project: Project) -> Project:
    """Return a project whose first step writes the model archive of the test."""
    project.write("pipeline.yaml", SPEC)
    project.script(
        "evaluate", 'Path(os.environ["SM_OUT_REPORT"], "evaluation.json").write_text("{}")'
    )
    return project


def _check_refused(project: Project, *words: str) -> None:
    """Both readers of the archive refuse it, before any code of the user runs; nothing escapes."""
    ended = project.run("run", *words)
    assert ended.code == FAILED, ended.text
    steps = project.steps()
    assert {name: step["StepStatus"] for name, step in steps.items()} == {
        "craft": "Succeeded",
        "evaluate": "Failed",
        "register-package": "Failed",
    }
    for name in ("evaluate", "register-package"):
        assert "model.tar.gz" in steps[name]["FailureReason"]
    assert project.calls() == {"craft": 1}
    assert not list(project.folder.parent.rglob(OUT))
    assert "Traceback" not in ended.text


@pytest.mark.parametrize(("body", "named"), CASES.values(), ids=CASES)
def test_an_archive_that_leads_out_of_its_folder_is_refused(
    crafted: Project, body: str, named: str
) -> None:
    """The member is named."""
    crafted.script("craft", CRAFT + WRITE.format(body.replace("{folder}", str(crafted.folder))))
    _check_refused(crafted)
    for step in ("evaluate", "register-package"):
        assert named in crafted.steps()[step]["FailureReason"]


@pytest.mark.parametrize(
    "body",
    [
        'path.write_bytes(b"this is no archive")\n',
        'path.write_bytes(b"")\n',
        WRITE.format("pass") + "path.write_bytes(path.read_bytes()[:-20])\n",
    ],
    ids=["no archive", "empty", "cut off"],
)
def test_an_archive_that_is_none_is_refused(crafted: Project, body: str) -> None:
    """The message says what is wrong with it."""
    crafted.script("craft", CRAFT + body)
    _check_refused(crafted)


def test_a_definition_with_such_an_archive_is_refused_as_well(crafted: Project) -> None:
    """The way in makes no difference."""
    body, named = CASES["a member above the folder"]
    crafted.script("craft", CRAFT + WRITE.format(body))
    assert crafted.run("compile", "-o", "build").code == 0
    _check_refused(crafted, "--from-definition", "build/tiny.json")
    assert named in crafted.steps()["evaluate"]["FailureReason"]
