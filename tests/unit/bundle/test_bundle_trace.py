"""What a script imports: files of the project, and modules that come from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.bundle.project import Project
from pipelines.bundle.trace import Trace, trace, trace_from


def _project(folder: Path, files: dict[str, str]) -> Project:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return Project(folder)


def _foreign(found: Trace) -> list[str]:
    return [one.names[0] for one in found.foreign]


@pytest.mark.parametrize(
    "script",
    [
        "import matplotlib",
        "import matplotlib.pyplot as plt",
        "from matplotlib import pyplot",
        "import near, matplotlib",
        "def draw():\n    import matplotlib",
        "class Drawing:\n    import matplotlib",
        "if True:\n    import matplotlib",
        "if __name__ == '__main__':\n    import matplotlib",
        "if arguments.plot:\n    import matplotlib",
        "if near:\n    pass\nelif far:\n    import matplotlib",
        "if near:\n    pass\nelse:\n    import matplotlib",
        "match near:\n    case 1:\n        import matplotlib",
        "def draw():\n    if near:\n        import matplotlib",
        "for one in near:\n    import matplotlib",
        "try:\n    import matplotlib\nexcept ValueError:\n    pass",
        "with near:\n    import matplotlib",
    ],
)
def test_an_import_of_no_file_is_foreign(script: str, tmp_path: Path) -> None:
    """Wherever the statement stands."""
    found = trace(_project(tmp_path, {"work.py": script, "near.py": ""}), "work.py")
    assert [name.partition(".")[0] for name in _foreign(found)] == ["matplotlib"]


@pytest.mark.parametrize(
    "script",
    [
        "try:\n    import matplotlib\nexcept ImportError:\n    import other",
        "try:\n    import matplotlib\nexcept (KeyError, ModuleNotFoundError):\n    pass",
        "try:\n    import matplotlib\nexcept:\n    pass",
        "try:\n    if True:\n        import matplotlib\nexcept Exception:\n    pass",
        "try:\n    import matplotlib\nexcept* ImportError:\n    pass",
        "try:\n    import matplotlib\nexcept builtins.ImportError:\n    pass",
        "with contextlib.suppress(ImportError):\n    import matplotlib",
        "if TYPE_CHECKING:\n    import matplotlib",
        "if typing.TYPE_CHECKING:\n    from matplotlib.axes import Axes",
        "if sys.version_info >= (3, 11):\n    import tomllib\nelse:\n    import tomli",
        "if sys.platform == 'win32':\n    import winreg",
        "if os.name == 'nt':\n    import winreg",
        "if importlib.util.find_spec('matplotlib'):\n    import matplotlib",
        "if platform.system() == 'Windows':\n    import winreg",
        "if 'USE_PLOTS' in os.environ:\n    import matplotlib",
        "if os.getenv('PLOTS'):\n    import matplotlib",
        "if HAS_PLOTS:\n    import matplotlib",
        "if _has_plots():\n    import matplotlib",
        "if is_torch_available():\n    import torchvision",
        "match sys.platform:\n    case 'win32':\n        import winreg",
        "if False:\n    import matplotlib",
        "if 0:\n    import matplotlib",
        "importlib.import_module('matplotlib')",
    ],
)
def test_an_import_that_may_fail_is_not_needed(script: str, tmp_path: Path) -> None:
    """The script goes on without it, or never comes there."""
    assert trace(_project(tmp_path, {"work.py": script}), "work.py").foreign == ()


@pytest.mark.parametrize(
    "statement",
    ["if TYPE_CHECKING:\n    ", "try:\n    raise KeyError\nexcept ImportError:\n    "],
)
def test_what_only_an_optional_import_leads_to_needs_nothing(
    statement: str, tmp_path: Path
) -> None:
    """The module goes into the bundle, but its own imports may fail as well."""
    files = {
        "work.py": f"{statement}import plots",
        "plots.py": "import near",
        "near.py": "import x",
    }
    assert trace(_project(tmp_path, files), "work.py") == Trace(
        ("near.py", "plots.py"), (), places=(("near.py", "near.py"), ("plots.py", "plots.py"))
    )


def test_what_is_needed_once_is_needed(tmp_path: Path) -> None:
    """One optional import does not excuse a module that another statement needs."""
    work = "if TYPE_CHECKING:\n    import plots\nimport near"
    files = {"work.py": work, "near.py": "import plots", "plots.py": "import matplotlib"}
    found = trace(_project(tmp_path, files), "work.py")
    assert [(one.file, one.names) for one in found.foreign] == [("plots.py", ("matplotlib",))]


@pytest.mark.parametrize(
    ("script", "files"),
    [
        ("import near", ["near.py"]),
        ("import fast", ["fast.cpython-311-x86_64-linux-gnu.so"]),
        ("from native import fast", ["native/fast.so"]),
        ("import spaces.inner.thing", ["spaces/inner/thing.py"]),
        ("from spaces import inner", ["spaces/inner/thing.py"]),
        ("import mine.thing", ["src/mine/__init__.py", "src/mine/thing.py"]),
        ("from .inner import thing", ["inner/__init__.py"]),
        ("import pandas", ["pandas.py"]),
    ],
)
def test_a_module_of_the_project_is_not_foreign(
    script: str, files: list[str], tmp_path: Path
) -> None:
    """Packages with and without `__init__.py`, extensions, and what has a distribution's name."""
    project = _project(tmp_path, {"work.py": script, **dict.fromkeys(files, "")})
    assert trace(project, "work.py").foreign == ()


@pytest.mark.parametrize("script", ["import wandb", "from wandb import init"])
def test_a_folder_of_a_packages_name_is_not_the_package(script: str, tmp_path: Path) -> None:
    """Tools leave such folders in a project: wandb, mlflow."""
    project = _project(tmp_path, {"work.py": script, "wandb/run-1/files/code.py": ""})
    assert _foreign(trace(project, "work.py")) == ["wandb"]


def test_folders_may_be_given(tmp_path: Path) -> None:
    """Serving code has its own folder only, on the server."""
    files = {"serving/work.py": "import near, steps.x", "serving/near.py": "", "steps/x.py": ""}
    found = trace_from(_project(tmp_path, files), "serving/work.py", ("serving",))
    assert found.files == ("serving/near.py",)
    assert _foreign(found) == ["steps.x"]


def test_an_import_names_all_that_it_may_read(tmp_path: Path) -> None:
    """`from a import b` may mean the module `a.b`."""
    script = "from importlib import metadata as m, resources"
    (found,) = trace(_project(tmp_path, {"work.py": script}), "work.py").foreign
    assert found.names == ("importlib", "importlib.metadata", "importlib.resources")


PACKAGE = {"steps/pkg/__init__.py": "", "steps/pkg/near.py": "", "steps/far.py": ""}


def _strays(work: str, more: dict[str, str], folder: Path) -> list[tuple[str, int, int, bool]]:
    files = {"steps/work.py": work, **PACKAGE, **more}
    found = trace(_project(folder, files), "steps/work.py").strays
    return [(one.at.file, one.at.line, one.depth, one.is_reached) for one in found]


@pytest.mark.parametrize(
    ("work", "is_reached"),
    [
        ("from . import far", True),
        ("from .far import x", True),
        ("from .. import data", True),
        ("from ..... import farther", True),
        ("class One:\n    from . import far", True),
        ("if near:\n    from . import far", True),
        ("def one():\n    from . import far", False),
        ("async def one():\n    from .far import x", False),
    ],
)
def test_a_relative_import_of_a_script_fails(work: str, is_reached: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter
    """A script is started by its path and has no package; a function may never be called."""
    line = work.count("\n") + 1
    assert _strays(work, {}, tmp_path) == [("steps/work.py", line, 0, is_reached)]


def test_a_relative_import_may_lead_to_a_file_above_the_scripts_folder(tmp_path: Path) -> None:
    """It fails like the others: the file is there, and is no module of the script's package."""
    found = _strays("from ..far import x", {"far.py": "x = 1"}, tmp_path)
    assert found == [("steps/work.py", 1, 0, True)]


@pytest.mark.parametrize(
    "work",
    [
        "try:\n    from . import far\nexcept ImportError:\n    import far",
        "if __package__:\n    from . import far",
        "__package__ = 'steps'\nfrom . import far",
        "if TYPE_CHECKING:\n    from . import far",
    ],
)
def test_a_relative_import_that_a_script_provides_for_is_none(work: str, tmp_path: Path) -> None:
    """As scripts do it that are modules as well."""
    assert _strays(work, {}, tmp_path) == []


@pytest.mark.parametrize(
    ("work", "more", "found"),
    [
        ("import pkg.one", {"steps/pkg/one.py": "from . import near"}, []),
        ("import pkg", {"steps/pkg/__init__.py": "from .near import x"}, []),
        ("import steps.pkg.one", {"steps/pkg/one.py": "from ..far import x"}, []),
        ("import pkg.one", {"steps/pkg/one.py": "from ..far import x"}, [("steps/pkg/one.py", 1)]),
        ("import far", {"steps/far.py": "from .pkg import near"}, [("steps/far.py", 0)]),
        ("import steps.far", {"steps/far.py": "from .pkg import near"}, []),
        (
            "import pkg.one",
            {"steps/pkg/one.py": "from .two import x", "steps/pkg/two.py": "from .. import far"},
            [("steps/pkg/two.py", 1)],
        ),
        ("import far, steps.far", {"steps/far.py": "from .pkg import near"}, []),
        ("import mine.a", {"src/mine/a.py": "from .b import c", "src/mine/b.py": ""}, []),
        ("import other", {"steps/other.py": "import pkg.one", "steps/pkg/one.py": ""}, []),
    ],
)
def test_a_relative_import_stays_in_the_packages_by_which_its_module_is_imported(
    work: str, more: dict[str, str], found: list[tuple[str, int]], tmp_path: Path
) -> None:
    """A module beside the script is in no package, by whichever folder it lies in."""
    assert [(file, depth) for file, _, depth, _ in _strays(work, more, tmp_path)] == found
