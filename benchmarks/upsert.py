"""An unchanged `upsert`, whole process, against SageMaker SDK v3's `pipeline.upsert()`.

    make oracle && python -m benchmarks.upsert [PAIRS]

Both deploy the same process → train → evaluate → condition chain to moto's server, which counts
the objects that each writes although nothing changed.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.account import serving
from benchmarks.pairs import (
    ROOT,
    Command,
    Figure,
    main,
    pairs,
    peer,
    pipelines,
    ratio,
    run,
)
from benchmarks.projects import chain_project


def measure(count: int, folder: Path) -> list[Figure]:
    """Deploy once with both, then again and again."""
    chain_project(folder)
    python = str(peer("sdk", ("sagemaker==3.27.0", "moto[iam,s3,sts]>=5.2")))
    with serving() as account:
        account.make_bucket("flight-delays-ml")
        ours = replace(
            pipelines("upsert", "--yes", folder=folder),
            environment={**account.environment, "PYTHONPATH": str(ROOT)},
        )
        script = str(ROOT / "benchmarks" / "sdk_chain.py")
        sdk = Command("SDK v3", (python, script, "upsert"), folder, account.environment)
        runs = pairs(ours, sdk, count)
        with account.counting_uploads() as my_uploads:
            run(ours)
        with account.counting_uploads() as their_uploads:
            run(sdk)
    mine, theirs, times = ratio([(a.wall, b.wall) for a, b in runs])
    my_count, their_count = len(my_uploads), len(their_uploads)
    return [
        Figure(
            "unchanged upsert, wall s, to SDK v3", "at most 1/5", mine, theirs, times, times <= 0.2
        ),
        Figure(
            "unchanged upsert, PutObject calls, to SDK v3", "none against several",
            my_count, their_count, my_count / max(their_count, 1),
            my_count == 0 and their_count > 1,
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    main("upsert", 5, measure)
