from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipelines.runtime.bundle import Job, job_json, parse_job, read_files, write_files
from pipelines.runtime.errors import JobError
from tests.bundles import write_bundle

JOB = {"step": "s", "job": "training", "script": "train.py"}


def write_zip(path: Path, name: str, mode: int = 0o100644) -> Path:
    """A zip of one good member and one with this name and mode."""
    info = zipfile.ZipInfo("placeholder")
    info.filename = name
    info.external_attr = mode << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("good", "good")
        archive.writestr(info, "content")
    return path


def test_a_bundle_is_read_as_zipfile_reads_it(tmp_path: Path) -> None:
    """The runtime's own reader agrees with the standard library's on every byte."""
    code = {"train.py": b"", "deep/er/data.bin": bytes(range(256)) * 500, "ü.txt": b"x"}
    path = write_bundle(tmp_path / "b.pyz", JOB, code)
    with zipfile.ZipFile(path) as archive:
        expected = {name: archive.read(name) for name in archive.namelist()}
    assert {one.path: one.content for one in read_files(path)} == expected
    known = {name: content[::-1] for name, content in expected.items()}
    assert {one.path: one.content for one in read_files(path, known)} == expected
    found = {one.path: one.content for one in read_files(path, expected)}
    assert all(found[name] is expected[name] for name in expected), "what is known is not unpacked"


def test_a_stored_bundle_behind_a_shebang_line_keeps_its_executables(tmp_path: Path) -> None:
    """A line may stand before the zip; the executable bit comes through."""
    path = write_zip(tmp_path / "b.pyz", "run.sh", 0o100755)
    path.write_bytes(b"#!/usr/bin/env python3\n" + path.read_bytes())
    (tmp_path / "into").mkdir()
    write_files(read_files(path), tmp_path / "into")
    assert (tmp_path / "into" / "run.sh").read_text() == "content"
    assert (tmp_path / "into" / "run.sh").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    ("name", "mode"),
    [("/evil", 0o100644), ("../evil", 0o100644), ("a/../../evil", 0o100644), ("a//b", 0o100644),
     ("a\\b", 0o100644), ("link", 0o120777), ("device", 0o020644)],
)  # fmt: skip
def test_a_hostile_bundle_is_refused(tmp_path: Path, name: str, mode: int) -> None:
    """A bundle is checked like any archive."""
    with pytest.raises(JobError, match=r"b\.pyz cannot be read"):
        list(read_files(write_zip(tmp_path / "b.pyz", name, mode)))


def test_a_damaged_bundle_is_refused(tmp_path: Path) -> None:
    """Checksums are compared, and what is no zip is named."""
    path = write_zip(tmp_path / "b.pyz", "x")
    data = path.read_bytes()
    for damaged in (b"", b"no zip", data[:50], data.replace(b"content", b"CONTENT")):
        path.write_bytes(damaged)
        with pytest.raises(JobError):
            list(read_files(path))


def test_a_job_is_read_as_it_was_written() -> None:
    """Writer and reader share the record: a new field of it is a new key."""
    job = Job(
        "s", "processing", program="validate", config={"a": [1]}, requirements={"mode": "index"},
        distribution={"launcher": "mpi"}, model_input="model", outputs=("o", "p"),
    )  # fmt: skip
    assert parse_job(job_json(job).encode()) == job
    assert json.loads(job_json(job)).keys() == {"version", *Job._fields}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"version": 2}, "version 2, not 1"),
        ({"job": "cooking"}, "has the unknown job `cooking`"),
        ({"script": None}, "either a script or a program"),
        ({"program": "validate"}, "either a script or a program"),
    ],
)
def test_a_job_description_that_does_not_hold_is_refused(
    changes: dict[str, object], text: str
) -> None:
    """Each with its own words."""
    whole: dict[str, object] = {"version": 1, "program": None, "config": {}, "requirements": None}
    good = {**whole, **JOB, "distribution": None}
    assert parse_job(json.dumps(good).encode()).outputs == ()
    with pytest.raises(JobError, match=text):
        parse_job(json.dumps({**good, **changes}).encode())
    with pytest.raises(JobError, match="lacks keys"):
        parse_job(b"{}")
    with pytest.raises(JobError, match="not JSON"):
        parse_job(b"{")


@pytest.mark.parametrize(
    ("job", "text"),
    [
        ({**JOB, "script": "other.py"}, "the bundle does not contain the script other.py"),
        ({**JOB, "version": 2}, "the bundle's job.json has version 2, not 1"),
        ({**JOB, "distribution": {"launcher": "horovod"}}, "the launcher `horovod` is unknown"),
        ({**JOB, "requirements": {"mode": "conda"}}, "the requirements' mode `conda` is unknown"),
        ({**JOB, "job": "processing", "model_input": "model"}, "the folder of the model input"),
    ],
)
def test_a_job_that_cannot_start_leaves_the_reason_and_exits_with_1(
    tmp_path: Path, job: dict[str, object], text: str
) -> None:
    """The runtime's own failures reach FailureReason like the script's."""
    path = write_bundle(tmp_path / "b.pyz", job, {"train.py": b""})
    environment = {"PIPELINES_OPT_ML": str(tmp_path / "ml"), "TMPDIR": str(tmp_path)}
    (tmp_path / "ml" / "input" / "config").mkdir(parents=True)
    ended = subprocess.run([sys.executable, path], env=environment, check=False)
    assert ended.returncode == 1
    name = "message" if job["job"] == "processing" else "failure"
    assert (tmp_path / "ml" / "output" / name).read_text().startswith(text)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.pyz", "ml"], "scratch is removed"


def test_a_damaged_configuration_file_is_named(tmp_path: Path) -> None:
    """The platform's files are read with the same care."""
    path = write_bundle(tmp_path / "b.pyz", JOB, {"train.py": b""})
    config = tmp_path / "ml" / "input" / "config"
    config.mkdir(parents=True)
    (config / "hyperparameters.json").write_text("{")
    environment = {"PIPELINES_OPT_ML": str(tmp_path / "ml")}
    ended = subprocess.run([sys.executable, path], env=environment, check=False)
    assert ended.returncode == 1
    assert "hyperparameters.json cannot be read" in (tmp_path / "ml/output/failure").read_text()


PROGRAM = """\
import os, sys
from pipelines.runtime.errors import JobError

def main(config, layout):
    print("CONFIG", config, layout.job, layout.output("o"), os.environ["SM_OUT_O"], sys.argv[1:])
    print("CODE", os.listdir())
    if config.get("fail"):
        raise JobError("the table flights has no rows\\nlook at the report")
    return config["code"]
"""


@pytest.mark.parametrize(
    ("config", "exit_code", "reason"),
    [
        ({"code": 0}, 0, None),
        ({"code": 7}, 7, "exit code 7\n"),
        ({"fail": True}, 1, "the table flights has no rows\nlook at the report"),
    ],
)
def test_a_program_is_called_with_its_configuration_and_the_layout(
    tmp_path: Path, config: dict[str, object], exit_code: int, reason: str | None
) -> None:
    """Its int is the exit code; a JobError of it is the reason, in its own words, no traceback."""
    job = {"step": "s", "job": "processing", "program": "hello", "config": config}
    path = write_bundle(tmp_path / "b.pyz", {**job, "outputs": ["o"]}, {"suite.json": b"{}"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("tool/pipelines/programs/hello/__init__.py", "")
        archive.writestr("tool/pipelines/programs/hello/main.py", PROGRAM)
    root = tmp_path / "ml"
    ended = subprocess.run(
        [sys.executable, path, "--key", "value"],
        env={"PIPELINES_OPT_ML": str(root)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert ended.returncode == exit_code
    place = f"{root}/processing/output/o"
    assert f"CONFIG {config} processing {place} {place} ['--key', 'value']\n" in ended.stdout
    assert "CODE ['suite.json']\n" in ended.stdout
    assert "Traceback" not in ended.stdout
    message = root / "output" / "message"
    assert message.exists() == (reason is not None)
    assert reason is None or message.read_text().startswith(reason)
