"""A line of a job's log → how far the job is, where the line shows it.

Bars are those of tqdm, which PyTorch Lightning and the Hugging Face Trainer draw with, of Keras and
of rich. Counts are what loops print, as `epoch 3/10`, and the rounds of XGBoost and LightGBM. A
carriage return begins a line of a terminal anew: only what stands after the last one counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from pipelines.frozen import frozen

EPOCH: Final = "epoch"

_READ: Final = 2000
"""Characters of a line that are looked at: the first of a line, the last of one with returns."""

_CONTROLS: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]")
_REDRAWN: Final = re.compile(r"[\r\b]+")
_N: Final = r"\d{1,3}(?:,\d{3})+|\d{1,12}"
_OF: Final = rf"(?P<done>{_N})\s*(?:/|\s(?:out\s)?of[\s=:]*)\s*(?P<total>{_N})(?![\d/.]\d)"
_WORDS: Final = (
    r"epoch|step|iter(?:ation)?|batch|round|fold|trial|episode|task|chunk|shard|file|part|stage"
)

_TQDM: Final = re.compile(
    r"^\s*(?:(?P<label>[^|\s](?:[^|]{0,198}[^|\s])?)\s+)?(?P<percent>\d{1,3})%\|[^|]*\|\s*"
    r"(?P<count>[\d.]+[kMGT]?i?B?/[\d.]+[kMGT]?i?B?)\s*"
    r"\[[\d:]+<[^,\]]*(?:,\s*(?P<rate>[^,\]]+))?(?:,\s*(?P<text>.*?))?\]?\s*$"
)
_TQDM_ENDLESS: Final = re.compile(
    r"^(?:(?P<label>[^|]{1,200}?):\s+)?(?P<count>[\d.]+[kMGT]?)\s?(?:it|B|\w{1,12})\s"
    r"\[[\d:]+,\s*(?P<rate>[^,\]]+)(?:,\s*(?P<text>.*?))?\]?\s*$"
)
_RICH: Final = re.compile(
    rf"^(?P<label>[^━╸╺]*?)\s*[━╸╺]+\s+(?:{_OF}|(?P<percent>\d{{1,3}})%)"
    r"(?:.*?(?P<rate>[\d.]+\s?(?:it|[kMGT]?B)/s))?(?P<text>.*)$"
)
_KERAS: Final = re.compile(rf"^\s*{_OF}\s*(?:\[[=>.]+\]|[━╸╺]+|\s-\s)")
_EPOCH_AND_COUNT: Final = re.compile(
    rf"^\W*(?:\w+\s)?epoch\W{{0,3}}(?P<epoch>\d+)\W{{1,3}}{_OF}", re.IGNORECASE
)
_TWO_COUNTS: Final = re.compile(
    rf"\bepoch\W{{0,3}}(?P<epoch>(?:{_N})\s?/\s?(?:{_N}))\W{{1,4}}"
    rf"(?P<word>{_WORDS})s?\W{{0,3}}{_OF}",
    re.IGNORECASE,
)
_COUNT: Final = re.compile(
    rf"\b(?P<word>{_WORDS})(?:e?s)?\s?[#:=]?\s?[\[(]?\s?{_OF}", re.IGNORECASE
)
_COUNT_BEFORE: Final = re.compile(rf"(?<![\d./]){_OF}\s(?P<word>{_WORDS})(?:e?s)?\b", re.IGNORECASE)
_BRACKETS: Final = re.compile(rf"^\s*\[\s?{_OF}\s?\]")
_PERCENT: Final = re.compile(
    r"\b(?:progress|completed?|done|finished)\W{0,3}(?P<percent>\d{1,3}(?:\.\d+)?)\s?%",
    re.IGNORECASE,
)
_PERCENT_BEFORE: Final = re.compile(
    r"(?<![\d.])(?P<percent>\d{1,3}(?:\.\d+)?)\s?%\s\(?(?:completed?|done|finished)\b",
    re.IGNORECASE,
)
_ROUND: Final = re.compile(r"^\s*\[(?P<count>\d{1,12})\]\s+[^:]{1,60}:\s?[-\d.]")
_EPOCH: Final = re.compile(r"^\W*epoch\s?[#:=]?\s?(?P<count>\d+)\b(?!\.\d)", re.IGNORECASE)


@frozen
class Progress:
    """How far a job is.

    Args:
        counted: what is counted, such as `epoch`, or the label of the bar; may be empty.
        count: `12/25`, `4.5M/10M`, or `12` where the end is not known; may be empty.
        fraction: from 0 to 1; None where the end is not known.
        rate: such as `3.2it/s`; may be empty.
        text: what the line says besides a bar: nothing, where it is one.
    """

    counted: str
    count: str
    fraction: float | None = None
    rate: str = ""
    text: str = ""

    def within(self, outer: Progress | None) -> Progress:
        """Return a bar without a name as one of the epoch that was begun before it."""
        if outer is None or outer.counted != EPOCH or self.counted:
            return self
        return replace(self, counted=f"{EPOCH} {outer.count}")


def shown_line(line: str) -> str:
    """Return what a terminal shows of a line in the end: no colours, nothing that was redrawn."""
    if "\r" in line or "\b" in line:
        redrawn = [piece for piece in _REDRAWN.split(line[-_READ:]) if piece.strip()]
        line = redrawn[-1] if redrawn else ""
    return _CONTROLS.sub("", line[:_READ]).rstrip()


def progress_in(line: str) -> Progress | None:
    """Read how far a job is from a line as `shown_line` returns it; None where it does not say."""
    return next(_found(line), None)


def _found(line: str) -> Iterator[Progress]:
    for pattern, read in _FORMS:
        found = pattern.search(line)
        progress = read(found, line) if found is not None else None
        if progress is not None:
            yield progress


def _tqdm(found: re.Match[str], _line: str) -> Progress | None:
    label = (found["label"] or "").strip(" :")
    percent = found.groupdict().get("percent")
    fraction = None if percent is None else min(int(percent), 100) / 100
    rate = (found["rate"] or "").strip()
    shown = "" if rate.startswith("?") else rate
    return Progress(label, found["count"], fraction, shown, (found["text"] or "").strip())


def _rich(found: re.Match[str], _line: str) -> Progress | None:
    label, rate, text = found["label"].strip(), found["rate"] or "", found["text"].strip()
    if found["percent"] is not None:
        return Progress(label, "", min(int(found["percent"]), 100) / 100, rate)
    count = _count(found)
    return count and Progress(label, *count, rate, text if rate else "")


def _counted(found: re.Match[str], line: str) -> Progress | None:
    count = _count(found)
    word = (found.groupdict().get("word") or "").lower()
    return count and Progress(word, *count, text=line)


def _of_epoch(found: re.Match[str], line: str) -> Progress | None:
    count = _count(found)
    return count and Progress(f"{EPOCH} {found['epoch'].replace(' ', '')}", *count, text=line)


def _percent(found: re.Match[str], line: str) -> Progress | None:
    percent = float(found["percent"])
    return Progress("", "", percent / 100, text=line) if percent <= 100 else None


def _endless(word: str) -> Callable[[re.Match[str], str], Progress]:
    return lambda found, line: Progress(word, found["count"], text=line)


def _count(found: re.Match[str]) -> tuple[str, float] | None:
    """Return count and fraction; None where it is no count, but a date or a rate."""
    done, total = (int(found[name].replace(",", "")) for name in ("done", "total"))
    if total < 1 or done > total:
        return None
    return f"{found['done']}/{found['total']}", done / total


_FORMS: Final = (
    (_TQDM, _tqdm),
    (_TQDM_ENDLESS, _tqdm),
    (_RICH, _rich),
    (_KERAS, _counted),
    (_TWO_COUNTS, _of_epoch),
    (_COUNT, _counted),
    (_EPOCH_AND_COUNT, _of_epoch),
    (_COUNT_BEFORE, _counted),
    (_BRACKETS, _counted),
    (_PERCENT, _percent),
    (_PERCENT_BEFORE, _percent),
    (_ROUND, _endless("round")),
    (_EPOCH, _endless(EPOCH)),
)
