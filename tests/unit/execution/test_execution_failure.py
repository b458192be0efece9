"""A reason and a log → what is shown of a failure."""

from __future__ import annotations

from pipelines.execution.failure import excerpt, headline, is_said, remarks, without_remarks

HEADER = "Traceback (most recent call last):"
FRAMES = [f'  File "model.py", line {number}, in f' for number in range(40)]
KEPT = "; its folder is kept: /p/.pipelines/jobs/x"
HINT = "; its log names /opt/ml, but namespaces are not available"


def of(text: str) -> str:
    """Write a reason as a local job does."""
    return f"AlgorithmError: {text}, exit code: 1{HINT}{KEPT}"


def test_a_traceback_is_shown_whole_and_ends_with_the_reason() -> None:
    """What came twenty lines before is left out, and so is what was written after it."""
    log = [*(f"epoch {n}" for n in range(90)), HEADER, *FRAMES, "ValueError: no", "bye"]
    assert excerpt(log, of("ValueError: no")) == (HEADER, *FRAMES, "ValueError: no")


def test_a_message_of_several_lines_is_shown_whole() -> None:
    """The reason has it, then the frames."""
    log = ["start", HEADER, "  f()", "ValueError: no", "columns: a", "", "resource tracker: leak"]
    assert excerpt(log, of("ValueError: no\ncolumns: a\n  f()"))[-1] == "columns: a"


def test_of_several_ranks_the_one_that_the_reason_names_is_shown() -> None:
    """The others were ended because of it; torchrun's own report is about all of them."""
    log = [
        "[rank1]: Traceback (most recent call last):",
        f"[rank0]: {HEADER}",
        "[rank1]:   f()",
        "[rank1]: KeyError: 'a'",
        "[rank0]: KeyError: 'a'",
        "torch.distributed.elastic.multiprocessing.errors.ChildFailedError:",
        "pipelines: the job failed: rank 1: KeyError: 'a'",
    ]
    shown = excerpt(log, of("algo-1: rank 1: KeyError: 'a'"))
    assert shown == (HEADER, "  f()", "KeyError: 'a'")
    assert is_said(shown, of("algo-1: rank 1: KeyError: 'a'"))


def test_a_traceback_of_a_rank_of_mpirun_begins_in_the_script() -> None:
    """Without the frames of mpi4py, which starts it; those of the script's own imports stay."""
    started = """\
Traceback (most recent call last):
  File "<frozen runpy>", line 198, in _run_module_as_main
  File "/usr/lib/python3.10/runpy.py", line 86, in _run_code
    exec(code, run_globals)
  File "/env/site-packages/mpi4py/__main__.py", line 8, in <module>
    main()
  File "/env/site-packages/mpi4py/run.py", line 53, in run_command_line
    run_path(sys.argv[0], run_name="__main__")
    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^""".splitlines()
    own = """\
  File "/project/train.py", line 37, in <module>
    runpy.run_module("more")
  File "<frozen runpy>", line 286, in run_path
  File "/project/more.py", line 1, in <module>
    raise RuntimeError("no")
RuntimeError: no""".splitlines()
    reason = "AlgorithmError: algo-1: rank 3: RuntimeError: no"
    assert excerpt([*started, *own], reason) == (started[0], *own)


def test_without_the_reason_in_it_a_log_is_shown_to_its_end_once() -> None:
    """The runtime's own line repeats the reason, said beside it; mpirun ends with a NUL."""
    log = [*(f"line {n}" for n in range(30)), "\0", "pipelines: the job failed: exit code 3"]
    shown = excerpt(log, of("exit code 3\nThe output ended with:\nline 29"))
    assert shown == tuple(f"line {n}" for n in range(10, 30))
    assert not is_said(shown, of("exit code 3"))


def test_the_remarks_of_this_machine_are_apart_from_the_reason() -> None:
    """A hint and the kept folder are said after the log, and are no part of the headline."""
    reason = of("ValueError: no")
    assert (
        headline(reason)
        == without_remarks(reason)
        == "AlgorithmError: ValueError: no, exit code: 1"
    )
    assert remarks(reason) == [HINT.removeprefix("; "), KEPT.removeprefix("; ")]
    assert remarks("ResourceLimitExceeded") == []
    assert (headline(None), remarks(None), excerpt(["a"], None)) == ("", [], ("a",))
