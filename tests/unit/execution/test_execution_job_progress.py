"""How far a job is, read from lines as libraries and loops write them."""

from __future__ import annotations

import time

import pytest

from pipelines.execution.job_progress import Progress, progress_in, shown_line

BARS = {
    "  0%|          | 0/25 [00:00<?, ?it/s]": (0.0, "", "0/25", ""),
    " 48%|████▊     | 12/25 [00:03<00:04,  3.21it/s]": (0.48, "", "12/25", "3.21it/s"),
    "Training:  48%|####8     | 12/25 [00:18<00:19,  1.50s/it]": (
        0.48,
        "Training",
        "12/25",
        "1.50s/it",
    ),
    "Map:  12%|█▏        | 1200/10000 [00:01<00:07, 1175.32 examples/s]": (
        0.12,
        "Map",
        "1200/10000",
        "1175.32 examples/s",
    ),
    "model.bin:  45%|████▌     | 4.50M/10.0M [00:03<00:03, 1.5MB/s]": (
        0.45,
        "model.bin",
        "4.50M/10.0M",
        "1.5MB/s",
    ),
    "120it [00:03, 40.12it/s]": (None, "", "120", "40.12it/s"),
    "Working... ━━━━━━━━━━━━━━━━━━━━  45% 0:00:03": (0.45, "Working...", "", ""),
}

BARS_AND_MORE = {
    "Epoch 2:  45%|████▌     | 45/100 [00:03<00:03, 14.51it/s, v_num=3, train_loss=0.312]": (
        Progress("Epoch 2", "45/100", 0.45, "14.51it/s", "v_num=3, train_loss=0.312")
    ),
    "Epoch 2/9  ━━━━━━━━╸━━━━━━━━━━━ 45/100 0:00:03 • 0:00:04 14.50it/s v_num: 3.000": (
        Progress("Epoch 2/9", "45/100", 0.45, "14.50it/s", "v_num: 3.000")
    ),
}

COUNTS = {
    " 469/938 [==============>...............] - ETA: 4s - loss: 0.5123 - accuracy: 0.8201": (
        0.5,
        "",
        "469/938",
    ),
    "\x1b[1m469/938\x1b[0m \x1b[32m━━━━━━━━━━\x1b[0m\x1b[37m━━━━━━━━━━\x1b[0m \x1b[1m4s\x1b[0m"
    " 5ms/step - accuracy: 0.8201 - loss: 0.5123": (0.5, "", "469/938"),
    "938/938 - 2s - 2ms/step - accuracy: 0.9012": (1.0, "", "938/938"),
    "Epoch 3/10": (0.3, "epoch", "3/10"),
    "epoch 3 of 10": (0.3, "epoch", "3/10"),
    "epoch=1 of=4": (0.25, "epoch", "1/4"),
    "[INFO] Epoch: [3/10] loss 0.31": (0.3, "epoch", "3/10"),
    "step 120/1000": (0.12, "step", "120/1000"),
    "step 1,200 of 10,000": (0.12, "step", "1,200/10,000"),
    "Iteration 5 out of 20": (0.25, "iteration", "5/20"),
    "Fold 2/5": (0.4, "fold", "2/5"),
    "Processed 3 of 12 files": (0.25, "file", "3/12"),
    "[3/12] compiling": (0.25, "", "3/12"),
    "Epoch [1/5], Step [150/600], Loss: 2.2": (0.25, "epoch 1/5", "150/600"),
    "Train Epoch: 1 [6000/60000 (10%)]\tLoss: 0.512": (0.1, "epoch 1", "6000/60000"),
    "#progress_metric: host=algo-1, completed 40.0 % of epochs": (0.4, "", ""),
    "Progress: 45%": (0.45, "", ""),
    "45% done": (0.45, "", ""),
    "[12]\ttrain-auc:0.81234\tvalidation-auc:0.78123": (None, "round", "12"),
    "[12]\tvalid_0's auc: 0.781234": (None, "round", "12"),
    "Epoch: 3, loss 0.2": (None, "epoch", "3"),
}

NONE = (
    "",
    "{'loss': 0.5123, 'learning_rate': 4e-05, 'epoch': 1.2}",
    "Test set: Average loss: 0.0512, Accuracy: 9850/10000 (98%)",
    "2026/11/26 12:00:00 started",
    "accuracy: 45%",
    "GET /items/3/10 200",
    "batch 26/11",
    "step 3/0",
    "Epoch 1.5 took 3 s",
    "[2026-11-26 10:00] hello",
    "|████████████████████████████████| 4.5 MB 10 MB/s",
    "done",
)


@pytest.mark.parametrize("line", BARS)
def test_a_bar_is_read_and_says_nothing_else(line: str) -> None:
    """The row of its step shows it; the newest line of the log stays the one before it."""
    assert progress_in(line) == _bar(*BARS[line])


def _bar(fraction: float | None, counted: str, count: str, rate: str) -> Progress:
    return Progress(counted, count, fraction, rate)


@pytest.mark.parametrize("line", BARS_AND_MORE)
def test_what_stands_behind_a_bar_is_its_text(line: str) -> None:
    """The values that Lightning and tqdm's postfix append."""
    assert progress_in(line) == BARS_AND_MORE[line]


@pytest.mark.parametrize("line", COUNTS)
def test_counts_of_loops_and_libraries_are_read(line: str) -> None:
    """The line stays the newest of the log, since it may hold more than the count."""
    fraction, counted, count = COUNTS[line]
    shown = shown_line(line)
    assert progress_in(shown) == Progress(counted, count, fraction, text=shown)


@pytest.mark.parametrize("line", NONE)
def test_other_lines_say_nothing_of_progress(line: str) -> None:
    """Dates, rates, accuracies and paths are no counts."""
    assert progress_in(line) is None


def test_only_what_was_drawn_last_is_shown() -> None:
    """A terminal draws over what stands before a carriage return, or is taken back."""
    assert shown_line("  0%| | 0/2\r 50%|#| 1/2\r") == " 50%|#| 1/2"
    assert shown_line("\r1/938\b\b\b\b\b2/938") == "2/938"
    assert shown_line("\x1b[31mred\x1b[0m\x1b[A\x1b[K end\r") == "red end"
    assert not shown_line("\r\r  \r")


def test_a_bar_without_a_name_is_one_of_the_epoch_before_it() -> None:
    """Keras prints the epoch on a line of its own, and then the bar of its batches."""
    epoch, bar, named = map(progress_in, ("Epoch 3/10", "469/938 [==>..] - ETA: 4s", "Fold 1/5"))
    assert bar is not None
    assert bar.within(epoch).counted == "epoch 3/10"
    assert bar.within(named) == bar.within(None) == bar


@pytest.mark.parametrize("line", [f"x{' ' * 900}y", f"{' ' * 900}y", "x |" * 300, "━ " * 450])
def test_a_line_of_any_shape_is_read_soon(line: str) -> None:
    """A table that is padded with blanks does not keep the run from its work."""
    assert _seconds(line) < 500 * _seconds("y" * len(line))


def _seconds(line: str) -> float:
    """Return the time of the fastest of some readings."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        progress_in(line)
        times.append(time.perf_counter() - began)
    return min(times)
