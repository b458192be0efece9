"""`run --sample`: a share of the local data, and nothing that leaves the desk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.functional.cli.test_cli_select import execution, started
from tests.functional.cli.test_cli_start import registering

if TYPE_CHECKING:
    from tests.functional.cli.conftest import Command

__all__ = ["registering"]

SPEC = """\
spec: 1
pipeline: small
aws: {role: "arn:aws:iam::111122223333:role/jobs", bucket: team-bucket}
data:
  rows: data/rows/
  keys: {path: data/keys.csv}
  far: s3://elsewhere/rows/
  picture: data/picture.png
  unread: data/rows/
defaults: {image: sklearn-1.9-cpu, cache: 30d}
steps:
  read:
    kind: processing
    script: steps/read.py
    inputs:
      rows: ${data.rows}
      keys: ${data.keys}
      picture: ${data.picture}
"""

READ = '''\
"""Prints what it is given, in an order that files do not matter for."""

import os
from pathlib import Path

folder = Path(os.environ["SM_CHANNEL_ROWS"])
print("files", *sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*")))
lines = [line for path in folder.rglob("*.csv") for line in path.read_text().splitlines()[1:]]
print("rows", *sorted(lines))
keys = Path(os.environ["SM_CHANNEL_KEYS"], "keys.csv").read_text().splitlines()
print("keys", *sorted(keys[1:]))
'''


@pytest.fixture
def tables(project: Path) -> Path:
    """Two files of 200 rows with 20 keys, a table of the keys, and files without rows."""
    rows = [f'{number},k{number % 20},"a ""b"""' for number in range(200)]
    files = {
        "pipeline.yaml": SPEC,
        "steps/read.py": READ,
        "data/rows/2024/one.csv": "\n".join(["id,key,text", *rows[:100]]),
        "data/rows/2025/two.csv": "\n".join(["id,key,text", *rows[100:]]) + "\n",
        "data/rows/notes.txt": "as they are",
        "data/keys.csv": "key\n" + "".join(f"k{number}\n" for number in range(20)),
        "data/picture.png": "no table",
    }
    for name, text in files.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return project


def read(pipelines: Command) -> dict[str, list[str]]:
    """Return what the step has read in the latest run on a sample."""
    answer = pipelines("logs", "--as", "sample", "--local", "latest", "read")
    assert answer.code == 0, answer.err
    return {line.split()[0]: line.split()[1:] for line in answer.out.splitlines()}


def test_a_sample_is_the_same_whatever_the_order_and_the_files(
    tables: Path, pipelines: Command
) -> None:
    """Rows by their content; folders and other files stay, and the user's data is untouched."""
    before = {path: path.read_bytes() for path in (tables / "data").rglob("*.*")}
    answer = pipelines("run", "--sample", "rows=10%")
    execution(answer)
    assert "of 200 rows; as they are: notes.txt" in answer.err
    sample = read(pipelines)
    assert sample["files"] == ["2024/one.csv", "2025/two.csv", "notes.txt"]
    assert 5 < len(sample["rows"]) < 40
    assert len(sample["keys"]) == 20
    assert before == {path: path.read_bytes() for path in (tables / "data").rglob("*.*")}
    one, two = tables / "data/rows/2024/one.csv", tables / "data/rows/2025/two.csv"
    rows = [*one.read_text("utf-8").splitlines()[1:], *two.read_text("utf-8").splitlines()[1:]]
    rows = [*rows[1::2], *rows[::2]]
    one.write_text("\n".join(["id,key,text", *rows[:30]]), "utf-8")
    two.write_text("\n".join(["id,key,text", *rows[30:]]), "utf-8")
    execution(pipelines("run", "--sample", "rows=10%"))
    assert read(pipelines)["rows"] == sample["rows"]


@pytest.mark.usefixtures("tables")
def test_sampled_keys_are_the_same_in_all_entries(pipelines: Command) -> None:
    """All rows of a key, or none; tables that are joined by it still fit each other."""
    execution(pipelines("run", "--sample", "rows=30%:key", "--sample", "keys=30%:key"))
    sample = read(pipelines)
    keys = [row.split(",")[1] for row in sample["rows"] if "," in row]
    assert sorted(set(keys)) == sample["keys"]
    assert {keys.count(key) for key in keys} == {10}


@pytest.mark.usefixtures("tables")
def test_a_sample_is_cached_apart_from_the_whole(pipelines: Command) -> None:
    """Neither takes the other's results, whichever ran first."""
    execution(pipelines("run", "--sample", "rows=10%"))
    assert started(pipelines("run")) == ["read"]
    assert "cached from" in pipelines("run", "--sample", "rows=10%").out
    assert "cached" not in pipelines("run", "--sample", "rows=11%").out
    whole = pipelines("status", "--local").out.splitlines()
    assert [line.split()[1] for line in whole[1:] if "not listed" not in line] == ["small"]


@pytest.mark.usefixtures("registering")
def test_a_sampled_run_does_not_register(registering: Path, pipelines: Command) -> None:
    """With the reason, before it starts; a step that is named all the same is refused."""
    spec = registering / "pipeline.yaml"
    text = spec.read_text("utf-8").replace("steps:\n", "data: {words: data/}\nsteps:\n", 1)
    text = text.replace(
        "script: steps/train.py\n", 'script: steps/train.py\n    inputs: {w: "${data.words}"}\n'
    )
    spec.write_text(text, "utf-8")
    (registering / "data" / "rows.csv").write_text("a\n" + "".join(f"{n}\n" for n in range(99)))
    answer = pipelines("run", "--sample", "words=50%")
    execution(answer)
    assert started(answer) == ["train", "evaluate"]
    assert "not run: register-package, register: a sampled run neither registers nor" in answer.err
    assert "no model" in (pipelines("models", "--local").out + pipelines("models", "--local").err)
    alone = pipelines("run", "--sample", "words=50%", "--only", "register")
    assert alone.code == 2
    assert "nothing is left to run" in alone.err


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("row=1%", "did you mean `rows`?"),
        ("rows=0%", "above 0% and at most 100%"),
        ("rows=101%", "above 0% and at most 100%"),
        ("rows=0.1", "is not ENTRY=PERCENT%"),
        ("rows=10%:ky", "did you mean `key`?"),
        ("far=10%", "is not on this machine"),
        ("picture=10%", "has no CSV or Parquet files"),
        ("unread=10%", "no step reads `unread`"),
        ("keys=0.001%", "holds none of the 20 rows"),
    ],
)
def test_what_cannot_be_sampled_is_refused(given: str, said: str, pipelines: Command) -> None:
    """With exit code 2, before anything starts."""
    answer = pipelines("run", "--sample", given)
    assert answer.code == 2, answer.out
    assert said in answer.err
    assert "Traceback" not in answer.err
    assert "no executions yet" in pipelines("status", "--as", "sample", "--local").out
