"""A project folder of 200 MB, nothing or one file changed: `upsert` against SDK v3's packing.

    make oracle && python -m benchmarks.packing [PAIRS]

The SDK packs the whole folder (`source_dir`) each time. Ours bundles the script and what it
imports, twice: as it is, and with `include:` naming everything, so that both ship the same files.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count as numbers
from pathlib import Path

from benchmarks.account import Account, serving
from benchmarks.pairs import (
    ROOT,
    Command,
    Figure,
    Run,
    main,
    peer,
    pipelines,
    ratio,
    run,
)

_FILES = 400
_SIZE = 512 << 10
"""400 files of 512 KB."""

_SPEC = """\
spec: 1
pipeline: {name}
aws:
  role: arn:aws:iam::111122223333:role/packing
  bucket: packing
defaults: {{image: sklearn-1.9-cpu}}
steps:
  use:
    kind: processing
    script: use.py
    include: {include}
"""


@dataclass(frozen=True, slots=True)
class Sides:
    """The commands that are compared."""

    traced: Command
    whole: Command
    sdk: Command


def write_project(folder: Path) -> None:
    """Write the folder: a script, a module that it imports, and 200 MB that do not compress."""
    noise = random.Random(0)  # noqa: S311 - the same bytes in every run
    (folder / "assets").mkdir()
    for number in range(_FILES):
        (folder / "assets" / f"{number}.bin").write_bytes(noise.randbytes(_SIZE))
    (folder / "use.py").write_text("import module\n\nprint(module.NUMBER)\n", encoding="utf-8")
    (folder / "traced.yaml").write_text(_SPEC.format(name="traced", include="[]"), "utf-8")
    (folder / "whole.yaml").write_text(_SPEC.format(name="whole", include='["assets/*"]'), "utf-8")


def sides(folder: Path, account: Account) -> Sides:
    """Return the commands, pointed at an account."""
    python = str(peer("sdk", ("sagemaker==3.27.0", "moto[iam,s3,sts]>=5.2")))
    script = str(ROOT / "benchmarks" / "sdk_packing.py")
    environment = {**account.environment, "PYTHONPATH": str(ROOT)}

    def ours(file: str) -> Command:
        command = pipelines("upsert", "--yes", "-f", file, folder=folder)
        return replace(command, environment=environment)

    sdk = Command("SDK v3", (python, script, str(folder)), folder, account.environment)
    return Sides(ours("traced.yaml"), ours("whole.yaml"), sdk)


def rounds(
    commands: Sides, count: int, prepare: Callable[[], object]
) -> list[tuple[Run, Run, Run]]:
    """Run all sides in turn, each round after the same preparation."""
    made = []
    for _ in range(count):
        prepare()
        made.append((run(commands.traced), run(commands.whole), run(commands.sdk)))
    return made


def figures(what: str, made: list[tuple[Run, Run, Run]]) -> list[Figure]:
    """Compare each of our two specs with the SDK."""
    traced = ratio([(ours.wall, sdk.wall) for ours, _, sdk in made])
    whole = ratio([(ours.wall, sdk.wall) for _, ours, sdk in made])
    target = "faster"
    return [
        Figure(f"200 MB folder, {what}, wall s, to SDK v3", target, *traced, traced[2] < 1),
        Figure(
            f"200 MB folder, {what}, all of it included, wall s, to SDK v3", target, *whole,
            whole[2] < 1,
        ),
    ]  # fmt: skip


def measure(count: int, folder: Path) -> list[Figure]:
    """Measure the unchanged folder, then one with a changed module."""
    write_project(folder)
    versions = numbers()

    def change() -> None:
        (folder / "module.py").write_text(f"NUMBER = {next(versions)}\n", encoding="utf-8")

    with serving() as account:
        account.make_bucket("packing")
        commands = sides(folder, account)
        rounds(commands, 1, change)  # the first upsert of each
        unchanged = rounds(commands, count, lambda: None)
        changed = rounds(commands, count, change)
    return [*figures("unchanged", unchanged), *figures("one file changed", changed)]


if __name__ == "__main__":
    main("packing", 3, measure)
