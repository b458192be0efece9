"""Which modules a container has: those that its image brings, and those of further requirements.

The lists of images lie in `package_lists/`, one file per family, with their sources. Which packages
an image without a list has is not known.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipelines.frozen import frozen
from pipelines.images.image import Image
from pipelines.json_types import JsonObject

if TYPE_CHECKING:
    from importlib.metadata import Distribution

_HERE: Final = Path(__file__).parent
_REQUIREMENT: Final = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[(?P<extras>[^\]]*)\])?\s*"
    r"(?:\(.*\)|[<>=!~].*|@.*|;.*)?"
)
_NAMESPACES: Final = frozenset(
    {"azure", "backports", "google", "jaraco", "nvidia", "opentelemetry", "ruamel", "zope"}
)
"""Packages that many distributions put modules into, each called `<package>-<module>`."""


@frozen
class Modules:
    """Modules that can be imported, by their top names.

    Args:
        names: the names, lower case.
        complete: whether there are no others.
    """

    names: frozenset[str]
    complete: bool = True

    def may_have(self, module: str) -> bool:
        """Return whether a module is among them, or nobody knows."""
        return not self.complete or module.lower() in self.names


def of_image(image: Image) -> Modules:
    """Return the modules that an image brings; none for certain, where no list of them exists."""
    found = distributions_of(image)
    if found is None:
        return Modules(frozenset(), complete=False)
    return Modules(frozenset(name for one in found for name in modules_of(one)))


def of_container(image: Image, lines: Iterable[str]) -> frozenset[str] | None:
    """Return what a container has of the modules installed here; None for an unknown image.

    That is what its image and the lines of a requirements file name, with all that this needs as
    it is installed here: another version may need more than the image has.
    """
    found = distributions_of(image)
    if found is None:
        return None
    return frozenset(name for names, _ in _walk((*found, *lines)) for name in names)


def distributions_of(image: Image) -> tuple[str, ...] | None:
    """Return the distributions that an image brings, by name; None where no list of them exists."""
    known = _lists(image.framework) if image.framework else {"images": {}}
    repository = image.uri.partition("/")[2].partition(":")[0]
    versions = known["images"].get(repository, {})
    version = image.version or ""
    found = versions.get(version) or versions.get(".".join(version.split(".")[:2]))
    return None if found is None else tuple(known["lists"][found]["distributions"])


def named_by(lines: Iterable[str]) -> frozenset[str]:
    """Return the modules of the distributions that lines of a requirements file name themselves."""
    found = (_REQUIREMENT.fullmatch(line) for line in lines)
    return frozenset(name for one in found if one for name in modules_of(one["name"]))


def of_requirements(lines: Iterable[str]) -> Modules:
    """Return the modules that lines of a requirements file bring, dependencies included.

    What a distribution depends on is known where it is installed here. Otherwise anything may
    come with it.
    """
    names: set[str] = set()
    for brought, is_known in _walk(lines):
        names.update(brought)
        if not is_known:
            return Modules(frozenset(names), complete=False)
    return Modules(frozenset(names))


def _walk(lines: Iterable[str]) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield the modules of each distribution that lines bring, and whether these are all of it."""
    seen: set[tuple[str, str]] = set()
    pending = [line for line in lines if not line.startswith("-")]
    while pending:
        found = _REQUIREMENT.fullmatch(pending.pop())
        if found is None:  # a URL, a path
            yield (), False
            continue
        name, extras = normal(found["name"]), found["extras"] or ""
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        installed = _installed(name)
        if installed is None:
            yield tuple(modules_of(name)), False
            continue
        yield (*modules_of(name), *map(str.lower, _tops(installed))), True
        pending.extend(_required(installed, frozenset(map(normal, extras.split(",")))))


def modules_of(distribution: str) -> Iterator[str]:
    """Yield the modules that a distribution brings, as far as its name tells, lower case."""
    name = normal(distribution)
    yield name.replace("-", "_")
    yield from map(str.lower, _named_otherwise().get(name, ()))
    if name.partition("-")[0] in _NAMESPACES:
        yield name.partition("-")[0]


def distribution_of(module: str) -> str:
    """Return the distribution that brings a module, as far as a table or the name tells.

    Of several the one that the table has first.
    """
    for distribution, modules in _named_otherwise().items():
        if module in modules:
            return distribution
    return module


def is_distributed(module: str) -> bool:
    """Return whether a module is known to be one of a distribution, by any list or by the table."""
    if any(module in modules for modules in _named_otherwise().values()):
        return True
    families = sorted(path.stem for path in (_HERE / "package_lists").glob("*.json"))
    lists = (one for family in families for one in _lists(family)["lists"].values())
    return any(module.lower() in modules_of(name) for one in lists for name in one["distributions"])


def normal(name: str) -> str:
    """Return the normalized name of a distribution (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _required(installed: Distribution, extras: frozenset[str]) -> Iterator[str]:
    """Yield what a distribution requires without conditions, and what it does with its extras.

    What hangs on a Python or a platform is required where it is installed.
    """
    for line in installed.requires or ():
        requirement, _, marker = line.partition(";")
        wanted = re.findall(r"""extra\s*==\s*["']([^"']+)""", marker)
        if wanted and not extras & set(map(normal, wanted)):
            continue
        if marker and not wanted and not _is_met(requirement):
            continue
        yield requirement.strip()


def _is_met(requirement: str) -> bool:
    found = _REQUIREMENT.fullmatch(requirement.strip())
    return found is not None and _installed(found["name"]) is not None


def _installed(name: str) -> Distribution | None:
    from importlib import metadata  # noqa: PLC0415 - only where the names do not tell

    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


def _tops(installed: Distribution) -> Iterator[str]:
    """Yield the top names of a distribution's modules."""
    listed = installed.read_text("top_level.txt")
    if listed:
        yield from listed.split()
        return
    for row in (installed.read_text("RECORD") or "").splitlines():
        top, slash, _ = row.partition(",")[0].partition("/")
        is_module = top.isidentifier() if slash else top.endswith((".py", ".so", ".pyd"))
        if is_module:
            yield top.partition(".")[0]


@functools.cache
def _lists(family: str) -> JsonObject:
    file = _HERE / "package_lists" / f"{family}.json"
    if not file.is_file():
        return {"lists": {}, "images": {}}
    found: JsonObject = json.loads(file.read_bytes())
    return found


@functools.cache
def _named_otherwise() -> dict[str, list[str]]:
    """Map distributions to their modules, where these have other names; the usual ones first."""
    found: dict[str, list[str]] = json.loads((_HERE / "modules.json").read_bytes())
    return found
