"""A bundle.pyz and /opt/ml → the user's code, run to its end.

Unpacks the bundle into a scratch folder, installs requirements, builds the `SM_*` variables,
starts the script, the program or the launcher, passes its output and exit code on, and writes
the failure file for the platform.
"""

from __future__ import annotations

import os
import signal
import stat
import sys
from pathlib import Path

from . import bundle, child, command, usage
from .bundle import BundleFile, Job
from .container import Container, read_container
from .environment import (
    Scratch,
    arguments_of,
    build_environment,
    process_environment,
)
from .errors import JobError
from .layout import Layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, NoReturn

    from .checkpoints import Checkpoints


def run(
    path: str,
    files: list[BundleFile] | None = None,
    discard: Callable[[Path], None] | None = None,
) -> int:
    """Run the job of a bundle; return the exit code.

    Args:
        path: the bundle.
        files: its files, if they have already been read.
        discard: called at the end with the folder that it was unpacked into; None to remove that.
    """
    signal.signal(signal.SIGTERM, _stop)
    layout = Layout.from_environment(os.environ, "training")
    if not layout.config_dir.exists():  # needed before the bundle is read, in case it is damaged
        layout = layout._replace(job="processing")
    try:
        files = files or list(bundle.read_files(Path(path)))
        job = _find_job(files)
        layout = layout._replace(job=job.job)
        return _in_scratch(job, layout, files, discard or _remove)
    except JobError as error:
        return _fail(layout, str(error), error.exit_code)
    except Exception as error:  # noqa: BLE001 - the outermost frame: a job never ends without a reason
        return _fail(layout, _unexpected(error, layout), 1)


def _unexpected(error: Exception, layout: Layout) -> str:
    """Return the reason that the machine has given, or that it is a bug."""
    from .disk import outside  # noqa: PLC0415 - only a failed job needs it

    refused = outside(error, _folders(layout)) if isinstance(error, OSError) else ""
    if not refused:
        sys.excepthook(type(error), error, error.__traceback__)
    return refused or f"the job runtime failed, this is a bug: {error!r}"


def _folders(layout: Layout) -> list[str]:
    """Return the folders that the job and its user write to."""
    return [str(layout.root), os.environ.get("TMPDIR") or "/tmp"]  # noqa: S108 - it is only looked at


def _find_job(files: list[BundleFile]) -> Job:
    for one in files:
        if one.path == bundle.JOB:
            return bundle.parse_job(one.content)
    raise JobError("the bundle has no job.json: compile the pipeline again")


def _in_scratch(
    job: Job, layout: Layout, files: list[BundleFile], discard: Callable[[Path], None]
) -> int:
    # tempfile would cost several milliseconds of imports in every job
    parent = Path(os.environ.get("TMPDIR") or "/tmp")  # noqa: S108 - the name is random, the mode private
    scratch = Scratch(parent / f"pipelines-{os.urandom(8).hex()}")
    scratch.folder.mkdir(mode=0o700, parents=True)
    try:
        bundle.write_files(filter(_is_needed(job), files), scratch.folder)
        scratch.code.mkdir(exist_ok=True)
        return _run(job, layout, scratch)
    finally:
        discard(scratch.folder)


def _is_needed(job: Job) -> Callable[[BundleFile], bool]:
    """Return which files are unpacked: this runtime only for what starts a file of it."""
    launcher = (job.distribution or {}).get("launcher")
    tracked = "mlflow" in (job.tracking or {})
    if job.program is not None or tracked or launcher is not None:
        return lambda _: True
    return lambda one: one.path.startswith(bundle.CODE)


def _run(job: Job, layout: Layout, scratch: Scratch) -> int:
    if job.script is not None and not (scratch.code / job.script).is_file():
        raise JobError(f"the bundle does not contain the script {job.script}")
    container = read_container(layout, os.environ)
    python = _python(job, container, scratch)
    model_dir = _model_dir(job, layout, scratch)
    variables = build_environment(job, layout, container, model_dir, scratch.code)
    _make_outputs(layout, variables)
    checkpoints = _checkpoints(job, layout, container)
    environment = process_environment(
        os.environ,
        {
            **variables,
            **command.collective_environment(container, os.environ),
            **command.master_environment(job, container, os.environ),
            **_drivers(),
            **_tracking(job),
        },
        scratch,
        job,
    )
    given = [] if container.by_toolkit else sys.argv[1:]  # a toolkit passes hyperparameters on
    arguments = [*arguments_of(container), *given]
    started = [*command.entry(job, scratch), *arguments]
    ended = _launch(
        job,
        container,
        child.Command(
            command.single(python, job, started), environment, scratch.code, job.source_dir or ""
        ),
    )
    if ended.code == 0:
        if checkpoints is not None:
            checkpoints.done()
        if not layout.processing:
            _replace_links(layout.model_dir)
        if job.tracking is not None:
            from .tracking import log_run, run_of  # noqa: PLC0415 - only tracked jobs need it

            run = run_of(job, container, layout.model_dir, ended.tail)
            log_run(run, python, environment, scratch.tool)
        return 0
    from .disk import with_free_space  # noqa: PLC0415 - as above
    from .failure import program_reason, reason  # noqa: PLC0415 - only a failed job needs it

    why = reason if job.program is None else program_reason
    text = with_free_space(why(ended, scratch.code), _folders(layout))
    return _fail(layout, text, ended.exit_code, ended.tail)


def _replace_links(folder: Path) -> None:
    """Replace links in the model, which becomes an archive, and remove pipes and the like."""
    for parent, folders, files in os.walk(str(folder)):
        if not all(_is_plain(os.path.join(parent, name)) for name in folders + files):  # noqa: PTH118 - as os.walk gives them
            from .links import replace_links  # noqa: PLC0415 - only if there is one

            replace_links(folder)
            return


def _is_plain(path: str) -> bool:
    """Return whether a path is a file or a folder, and no link to one."""
    mode = os.lstat(path).st_mode
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


def _launch(job: Job, container: Container, single: child.Command) -> child.Ended:
    """Run the command directly, at a terminal, or through the step's launcher."""
    if child.TERMINAL_VARIABLE in os.environ:
        from .terminal import run as run_at_terminal  # noqa: PLC0415 - only `debug` needs it

        return run_at_terminal(job, single)
    begun = usage.begin(int(single.environment["SM_NUM_GPUS"]), str(single.folder.parent))
    ended = _run_to_the_end(job, container, single)
    usage.report(begun, job, container, ended, single.folder.parent / command.RANKS)
    return ended


def _run_to_the_end(job: Job, container: Container, single: child.Command) -> child.Ended:
    launcher = (job.distribution or {}).get("launcher")
    if launcher is None:
        return child.run(single)
    from .distributed import launch  # noqa: PLC0415 - only distributed jobs need it

    return launch(str(launcher), job, container, single)


def _python(job: Job, container: Container, scratch: Scratch) -> Path:
    if not job.requirements:
        return Path(sys.executable)
    from .requirements import RequirementSet, interpreter  # noqa: PLC0415 - only where there are some

    return interpreter(
        RequirementSet.of(job.requirements, scratch.code, isolated=container.isolated)
    )


def _model_dir(job: Job, layout: Layout, scratch: Scratch) -> Path:
    if job.model_input is None:
        return layout.model_dir
    from .model import unpack_model  # noqa: PLC0415 - only steps with a model need it

    return unpack_model(layout.input(job.model_input), scratch.model)


def _checkpoints(job: Job, layout: Layout, container: Container) -> Checkpoints | None:
    """Keep the checkpoints that belong to this training; None where it keeps none."""
    if job.checkpoints is None:
        return None
    from .checkpoints import Checkpoints  # noqa: PLC0415 - only jobs that keep some need it

    given = job.checkpoints
    folder, anew = layout.locate(given["folder"]), bool(given.get("anew"))
    kept = Checkpoints(folder, container, given.get("resumes"), anew=anew)
    kept.begin()
    return kept


def _tracking(job: Job) -> dict[str, str]:
    """Return MLflow's variables where the job is tracked."""
    if job.tracking is None:
        return {}
    from .tracking import place  # noqa: PLC0415 - as above

    return place(job, os.environ)


def _drivers() -> dict[str, str]:
    """Return LD_LIBRARY_PATH with CUDA's compatibility libraries if the driver needs them."""
    if not Path("/usr/local/cuda/compat").is_dir():
        return {}
    from .cuda import library_path  # noqa: PLC0415 - only images with CUDA need it

    return library_path(os.environ)


def _make_outputs(layout: Layout, variables: dict[str, str]) -> None:
    """Create the folders that a script may write to; the platform creates most, but not all."""
    for name, path in variables.items():
        if name.startswith("SM_OUT_") or name == "SM_TENSORBOARD_DIR":
            os.makedirs(path, exist_ok=True)  # noqa: PTH103 - the path is text
    if not layout.processing:
        layout.model_dir.mkdir(parents=True, exist_ok=True)
        layout.output_data_dir.mkdir(parents=True, exist_ok=True)


def _fail(layout: Layout, text: str, exit_code: int, log: str = "") -> int:
    from .failure import is_last, write  # noqa: PLC0415 - only a failed job needs it

    if not is_last(text, log):
        print(f"pipelines: the job failed: {text.splitlines()[0]}", file=sys.stderr, flush=True)
    try:
        write(layout.failure, text)
    except OSError as error:  # a full disk, for example, which may be why the job failed
        print(f"pipelines: {layout.failure} cannot be written: {error}", file=sys.stderr)
    return exit_code


def _remove(folder: Path) -> None:
    """Remove the scratch folder; importing shutil would slow every job."""
    for parent, folders, files in os.walk(folder, topdown=False):
        for name in files:
            Path(parent, name).unlink()
        for name in folders:
            path = Path(parent, name)
            path.unlink() if path.is_symlink() else path.rmdir()
    folder.rmdir()


def _stop(number: int, _frame: Any) -> NoReturn:
    raise SystemExit(128 + number)
