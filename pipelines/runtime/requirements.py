"""The requirements of a step → the interpreter that meets them.

In a container missing packages are installed into the image's own Python. Locally
(PIPELINES_ENV_DIR) the user's environment is not changed: a virtual environment, which also sees
the packages of the environment that the tool runs in, is created once per set of lines.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import re
import site
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

from . import child, distributions
from .errors import JobError

ENV_DIR_VARIABLE = "PIPELINES_ENV_DIR"
_EXACT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:===?\s*([A-Za-z0-9.!+_-]+))?\s*$")
_NO_INDEX = re.compile(
    r"name resolution|NewConnectionError|ConnectTimeout|Network is unreachable|from versions: none"
)
_PIP_VARIABLES = {
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "PIP_PROGRESS_BAR": "off",
    "PIP_ROOT_USER_ACTION": "ignore",
}
_TAIL_LINES = 8

VersionOf = Callable[[str], Optional[str]]


class RequirementSet(NamedTuple):
    """What a step requires.

    Args:
        lines: the lines of a requirements file.
        wheels: the folder of the wheels in mode `wheels`; None in mode `index`.
        index_url: the package index in mode `index`; None for pip's default.
        isolated: whether the job is known to have no network.
    """

    lines: tuple[str, ...]
    wheels: Path | None
    index_url: str | None
    isolated: bool

    @classmethod
    def of(cls, requirements: dict[str, Any], code: Path, *, isolated: bool) -> RequirementSet:
        """Read the entry of job.json; raises JobError where its mode is not known."""
        mode = requirements.get("mode")
        if mode not in ("index", "wheels"):
            raise JobError(f"the requirements' mode `{mode}` is unknown: use index or wheels")
        wheels = code / str(requirements.get("folder")) if mode == "wheels" else None
        lines = tuple(map(str, requirements.get("lines") or ()))
        return cls(lines, wheels, requirements.get("index_url"), isolated)


def interpreter(wanted: RequirementSet) -> Path:
    """Return a Python that meets the requirements, installing what is not there.

    Raises:
        JobError: something cannot be installed; the text ends with pip's output.
    """
    unmet = [line for line in wanted.lines if not is_met(line)]
    if not unmet:
        return Path(sys.executable)
    folder = os.environ.get(ENV_DIR_VARIABLE)
    if folder:
        return _environment(Path(folder), wanted)
    _install(Path(sys.executable), wanted, {"PIP_BREAK_SYSTEM_PACKAGES": "1"})
    return Path(sys.executable)


def _installed_version(name: str) -> str | None:
    return distributions.version_of(name, sys.path)


def is_met(line: str, version_of: VersionOf = _installed_version) -> bool:
    """Return whether a requirement is installed; False if only pip can decide.

    Args:
        line: a line of a requirements file.
        version_of: returns the installed version of a distribution, or None.
    """
    plain = re.sub(r"(^|\s)#.*$", "", line)
    plain = re.sub(r"\s+--hash=\S+", "", plain).replace("\\", " ").strip()
    if not plain:
        return True
    exact = _EXACT.match(plain)
    if exact is None:
        return _is_met_as_packaging_reads_it(plain, version_of)
    installed = version_of(exact[1])
    if installed is None:
        return False
    return exact[2] is None or _same_version(installed, exact[2])


def _is_met_as_packaging_reads_it(line: str, version_of: VersionOf) -> bool:
    """Decide on ranges and markers with `packaging`, which most images have, as pip does."""
    try:
        wanted = _packaging().Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate():
            return True
        if wanted.extras or wanted.url:
            return False
        installed = version_of(wanted.name)
        return installed is not None and bool(
            wanted.specifier.contains(installed, prereleases=True)
        )
    except (ImportError, ValueError):  # not installed, or not a valid requirement
        return False


def _packaging() -> Any:
    try:
        return importlib.import_module("packaging.requirements")
    except ImportError:
        return importlib.import_module("pip._vendor.packaging.requirements")


def _same_version(installed: str, pinned: str) -> bool:
    """Compare like PEP 440: a pin without a local part matches any."""
    if "+" not in pinned:
        installed = installed.partition("+")[0]
    return _release(installed) == _release(pinned)


def _release(version: str) -> str:
    return re.sub(r"(\.0+)+$", "", version.lower().lstrip("v"))


def _environment(folder: Path, wanted: RequirementSet) -> Path:
    """Return the Python of the environment for these lines, making it under a lock if need be."""
    key = [wanted.lines, wanted.index_url, wanted.wheels is not None, sys.version, sys.prefix]
    name = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]
    home, python = folder / name, folder / name / "bin" / "python"
    complete = home / "complete"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            print("pipelines: creating an environment for the step's requirements", flush=True)
            _make(home)
            _install(python, wanted, {})
            complete.touch()
    return python


def _make(home: Path) -> None:
    """Create a virtual environment that sees exactly what this interpreter sees."""
    import venv  # noqa: PLC0415 - only if an environment is created

    venv.EnvBuilder(clear=True, symlinks=True).create(home)
    own = {os.path.realpath(path) for path in sys.path}
    seen = [path for path in _site_folders() if os.path.realpath(path) in own]
    lib = home / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    lines = [f"import site; site.addsitedir({path!r})" for path in seen]
    (lib / "pipelines-outer.pth").write_text("\n".join(lines) + "\n")
    if importlib.util.find_spec("pip") is None:
        python = str(home / "bin" / "python")
        _checked([python, "-m", "ensurepip", "--default-pip"], dict(os.environ), "pip")


def _site_folders() -> list[str]:
    return [*site.getsitepackages(), site.getusersitepackages()]


def _install(python: Path, wanted: RequirementSet, variables: dict[str, str]) -> None:
    names = ", ".join(line.split(" --hash")[0] for line in wanted.lines)
    if wanted.wheels is None and wanted.isolated:
        raise JobError(
            f"the requirements ({names}) are not all installed, and under network isolation "
            "none can be: use `requirements` in mode `wheels`, or an image that has them"
        )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "requirements.txt")
        file.write_text("\n".join(wanted.lines) + "\n", encoding="utf-8")
        argv = [str(python), "-m", "pip", "install", "--requirement", str(file)]
        if wanted.wheels is not None:
            argv += ["--no-index", "--find-links", str(wanted.wheels), "--require-hashes"]
        elif wanted.index_url:
            argv += ["--index-url", wanted.index_url]
        _checked(argv, {**os.environ, **_PIP_VARIABLES, **variables}, names)


def _checked(argv: list[str], environment: dict[str, str], names: str) -> None:
    ended = child.run(child.Command(argv, environment, Path.cwd()))
    if ended.code == 0:
        return
    if ended.stopped is not None:
        raise JobError("stopped while the requirements were installed", ended.exit_code)
    isolated = (
        "\nThe package index cannot be reached: is the job isolated from the network? "
        "Then use `requirements` in mode `wheels`."
        if "--no-index" not in argv and _NO_INDEX.search(ended.tail)
        else ""
    )
    lines = [line for line in ended.tail.splitlines() if line.strip()][-_TAIL_LINES:]
    raise JobError(f"the requirements cannot be installed: {names}{isolated}\n" + "\n".join(lines))
