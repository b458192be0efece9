"""Make up opinions, as JSON lines: a text, and 1 where it is a good one."""

import json
import os
import random
from pathlib import Path

THINGS = ("soup", "film", "hotel", "book", "day", "train", "music", "garden", "phone", "teacher")
GOOD = ("wonderful", "great", "lovely", "excellent", "fine", "delightful")
BAD = ("awful", "terrible", "dull", "horrible", "poor", "disappointing")
FORMS = ("the {thing} was {word}", "what a {word} {thing}", "a {word} {thing} , i think")
ROWS = {"TRAIN": 600, "TEST": 120}


def opinion(chance: random.Random) -> dict[str, object]:
    """Return one opinion."""
    is_good = chance.random() < 0.5
    text = chance.choice(FORMS).format(
        thing=chance.choice(THINGS), word=chance.choice(GOOD if is_good else BAD)
    )
    return {"text": text, "label": int(is_good)}


def main() -> None:
    """Write both channels."""
    chance = random.Random(7)  # noqa: S311 - no secret
    for part, count in ROWS.items():
        lines = [json.dumps(opinion(chance)) for _ in range(count)]
        (Path(os.environ[f"SM_OUT_{part}"]) / "opinions.jsonl").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
