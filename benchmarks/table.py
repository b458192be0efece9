"""The recorded results of the benchmarks, as a Markdown table for the README.

python -m benchmarks.table
"""

from __future__ import annotations

import json

from benchmarks.pairs import RESULTS

if __name__ == "__main__":
    print("| what | promise | ours | the other | ratio |")
    print("|---|---|---|---|---|")
    for file in sorted(RESULTS.glob("*.json")):
        for figure in json.loads(file.read_bytes()):
            numbers = (f"{figure[key]:.3g}" for key in ("ours", "theirs", "ratio"))
            print(f"| {figure['what']} | {figure['target']} | {' | '.join(numbers)} |")
