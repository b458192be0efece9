"""`run --fetch`: inputs in S3 that this machine lacks, read with the user's own credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.functional.aws.account import Account
from tests.functional.aws.command import Command
from tests.functional.aws.proxy import Fault, cut_off, refusal
from tests.functional.aws.seen import Seen

SPEC = """\
spec: 1
pipeline: counts
aws: {role: "arn:aws:iam::000000000000:role/jobs", bucket: counts}
parameters:
  day: {type: string, default: monday}
defaults: {image: sklearn-1.9-cpu}
steps:
  count:
    kind: processing
    script: steps/count.py
    inputs:
      rows: s3://lake/${parameters.day}/
      names: s3://lake/names.csv
    outputs: [counts]
"""
COUNT = """\
import os
from pathlib import Path

rows = sorted(Path(os.environ["SM_CHANNEL_ROWS"]).rglob("*.csv"))
print("counted", sum(one.stat().st_size for one in rows))
Path(os.environ["SM_OUT_COUNTS"], "n").write_text(str(len(rows)))
"""


@pytest.fixture
def lake(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    """Put objects into S3, some of them beside what the spec names, and stand in the project."""
    account.make_bucket("lake")
    s3 = account.client("s3")
    for key in ("monday/a.csv", "monday/b/c.csv", "names.csv", "names.csv.bak", "other/x.csv"):
        s3.put_object(Bucket="lake", Key=key, Body=f"{key}\n".encode())
    s3.put_object(Bucket="lake", Key="monday/", Body=b"")
    project = tmp_path / "counts"
    (project / "steps").mkdir(parents=True)
    (project / "steps/count.py").write_text(COUNT)
    (project / "pipeline.yaml").write_text(SPEC)
    monkeypatch.chdir(project)
    account.proxy.seen.clear()
    return account


def here() -> set[str]:
    """Return the keys of what is in the local `lake`."""
    root = Path(".pipelines/s3/lake")
    return {one.relative_to(root).as_posix() for one in root.rglob("*") if one.is_file()}


def test_what_is_missing_is_fetched_once(lake: Account, pipelines: Command) -> None:
    """Shown first, only what the definition needs, only reads; then what changed, and no more."""
    answer = pipelines("run", "--fetch")
    assert answer.code == 0, answer.err
    assert "s3://lake/monday/: 2 objects, 28 bytes in S3; all of it is read" in answer.err
    assert "s3://lake/names.csv: 1 object, 10 bytes in S3; all of it is read" in answer.err
    assert here() == {"monday/a.csv", "monday/b/c.csv", "names.csv"}
    assert not lake.proxy.changes()

    lake.proxy.seen.clear()
    answer = pipelines("run", "--fetch")
    assert "s3://lake/monday/: 2 objects, 28 bytes in S3; nothing has changed since" in answer.err
    assert set(lake.proxy.operations()) == {"ListObjectsV2"}

    s3 = lake.client("s3")
    s3.put_object(Bucket="lake", Key="monday/a.csv", Body=b"new\n")
    s3.delete_object(Bucket="lake", Key="monday/b/c.csv")
    Path(".pipelines/s3/lake/names.csv").write_text("mine\n")
    answer = pipelines("run", "--fetch")
    assert "1 object, 4 bytes in S3; all of it is read" in answer.err
    assert "s3://lake/monday/b/c.csv is not in S3 any more: it is removed here" in answer.err
    assert "s3://lake/names.csv stays as it is: it was changed here" in answer.err
    assert here() == {"monday/a.csv", "names.csv"}
    assert Path(".pipelines/s3/lake/names.csv").read_text() == "mine\n"


def test_what_is_here_and_was_never_fetched_stands_for_s3(
    lake: Account, pipelines: Command
) -> None:
    """Nothing is asked of S3 for it; without `--fetch` the message names the option."""
    failed = pipelines("run")
    assert failed.code == 5
    assert "have `pipelines run --fetch` read it from S3" in failed.out + failed.err
    for name in ("monday/mine.csv", "names.csv"):
        file = Path(".pipelines/s3/lake", name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("mine\n")
    assert pipelines("run", "--fetch").code == 0
    assert not lake.proxy.seen


def test_a_fetch_is_bounded_and_refused_before_anything_is_read(
    lake: Account, pipelines: Command
) -> None:
    """Too much, nothing there, no amount: said with what to write, and nothing is here."""
    answer = pipelines("run", "--fetch", "--fetch-limit", "0.02kB")
    assert answer.code == 2
    assert "--fetch would read 38 bytes, which is more than 20 bytes" in answer.err
    assert "write --fetch-limit 1kB" in answer.err
    assert pipelines("run", "--fetch", "--fetch-limit", "many").code == 2
    assert "add --fetch, or remove it" in pipelines("run", "--fetch-limit", "1GB").err
    answer = pipelines("run", "--fetch", "-p", "day=sunday")
    assert answer.code == 2
    assert "there is no object at s3://lake/sunday/ in S3, which step `count` reads" in answer.err
    assert set(lake.proxy.operations()) == {"ListObjectsV2"}
    assert not Path(".pipelines/s3/lake").exists()


def test_a_fetch_that_was_cut_off_goes_on(lake: Account, pipelines: Command) -> None:
    """Objects are whole or not there; the next fetch reads what is missing of one."""
    body = b"0123456789abcde\n" * 320_000
    lake.client("s3").put_object(Bucket="lake", Key="monday/large.csv", Body=body)
    file = Path(".pipelines/s3/lake/monday/large.csv")
    cut = cut_off(body[:2_000_000], len(body))
    refused = refusal("AccessDenied", status=403)

    def is_large(seen: Seen) -> bool:
        return seen.key == "monday/large.csv"

    lake.proxy.faults += [
        Fault("GetObject", cut, match=is_large),
        Fault("GetObject", refused, match=is_large),
    ]
    answer = pipelines("run", "--fetch")
    assert answer.code == 4
    assert "s3://lake/monday/large.csv cannot be read" in answer.err
    assert not file.exists()
    answer = pipelines("run", "--fetch")
    assert answer.code == 0, answer.err
    assert file.read_bytes() == body
    ranges = [seen.headers.get("range") for seen in lake.proxy.seen if is_large(seen)]
    assert ranges == [None, "bytes=2000000-", "bytes=2000000-"]
    assert not [*Path(".pipelines/s3/.incoming").iterdir()]
