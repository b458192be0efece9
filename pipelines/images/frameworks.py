"""Which framework an image brings, by distribution and version, and what would replace it.

The version is that of the image's name, which often has no patch number: `2.13` stands for all
versions 2.13.x, and only a requirement that none of them meets is known to replace it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pipelines.frozen import frozen
from pipelines.images.image import Image
from pipelines.images.packages import distributions_of, normal

_OF_FAMILY: Final = {
    "pytorch": "torch",
    "sklearn": "scikit-learn",
    "spark": "pyspark",
    "tensorflow": "tensorflow",
    "transformers": "transformers",
    "xgboost": "xgboost",
}
"""The distribution of each word in an image's family or version."""
FRAMEWORKS: Final = tuple(_OF_FAMILY.values())
"""The distributions that images are made for."""
_VARIANTS: Final = {
    "tensorflow-cpu": "tensorflow",
    "tensorflow-gpu": "tensorflow",
    "tf-nightly": "tensorflow",
    "xgboost-cpu": "xgboost",
}
"""Other distributions of the same modules."""
_NAMED: Final = re.compile(r"(?:(?P<word>[a-z]+)-)?(?P<version>\d+(?:\.\d+)+)")
_LINE: Final = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*"
    r"(?:@\s*(?P<url>\S+)|\(?(?P<clauses>[<>=!~][^;)]*)\)?)?\s*(?P<marker>;.*)?"
)
_WHEEL: Final = re.compile(r"(?:.*/)?(?P<name>[A-Za-z0-9_.]+)-(?P<version>[^-/]+)-\S*\.whl\S*")
_CLAUSE: Final = re.compile(
    r"(?P<operator>===?|!=|~=|<=?|>=?)\s*v?(?:0!)?(?P<release>\d+(?:\.\d+)*)(?P<rest>\S*)"
)
_EXACT: Final = 3
"""Numbers in a version that stands for no others."""


@frozen
class Framework:
    """A framework that an image brings.

    Args:
        distribution: its distribution, as `torch`.
        version: its version as far as the image's name has it, as `2.13`.
    """

    distribution: str
    version: str

    def is_replaced_by(self, line: str) -> bool:
        """Return whether a line of a requirements file brings another version of it for certain.

        Of a line that holds under conditions alone (`; sys_platform == …`) nothing is known.
        """
        wheel = _WHEEL.fullmatch(line)
        if wheel is not None and "@" not in line:
            clauses = f"=={wheel['version']}"
            return self._is(wheel["name"]) and not self._may_meet(clauses)
        found = _LINE.fullmatch(_plain(line))
        if found is None or found["marker"] or not self._is(found["name"]):
            return False
        if found["url"]:
            wheel = _WHEEL.fullmatch(found["url"])
            return wheel is None or not self._may_meet(f"=={wheel['version']}")
        return not self._may_meet(found["clauses"] or "")

    def matches(self, version: str) -> bool:
        """Return whether a version that is installed is the image's."""
        return self._may_meet(f"=={version.partition('+')[0]}")

    @property
    def pin(self) -> str:
        """The requirement that brings the image's version."""
        is_exact = len(_release(self.version)) >= _EXACT
        return f"{self.distribution}{f'=={self.version}' if is_exact else f'~={self.version}.0'}"

    def _is(self, distribution: str) -> bool:
        name = normal(distribution)
        return _VARIANTS.get(name, name) == self.distribution

    def _may_meet(self, clauses: str) -> bool:
        mine = _release(self.version)
        return all(_allows(clause.strip(), mine) for clause in clauses.split(","))


def frameworks_of(image: Image) -> tuple[Framework, ...]:
    """Return the frameworks that an image brings; none where that is not known."""
    return tuple(_frameworks(image))


def _frameworks(image: Image) -> Iterator[Framework]:
    if image.framework is None or image.version is None or image.serving == "tensorflow-serving":
        return  # TensorFlow Serving is a program: its Python has no tensorflow
    brought = distributions_of(image)
    for found in _NAMED.finditer(image.version):
        distribution = _OF_FAMILY.get(found["word"] or image.framework)
        if distribution is not None and (brought is None or distribution in brought):
            yield Framework(distribution, found["version"])


def _plain(line: str) -> str:
    """Return a requirement without the options that may follow it, such as a hash."""
    return line.partition(" --")[0].strip()


def _release(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def _allows(clause: str, mine: tuple[int, ...]) -> bool:
    """Return whether any version that begins with `mine` may meet a clause, as `>=2.9`."""
    found = _CLAUSE.fullmatch(clause)
    if found is None:
        return True
    operator, wanted = found["operator"], _release(found["release"])
    known = len(mine)
    if found["rest"] == ".*":
        is_inside = _begin_alike(mine, wanted)
        return is_inside if operator != "!=" else not (is_inside and len(wanted) <= known)
    cut = (*wanted, *(0,) * known)[:known]
    meets = {
        "!=": known < _EXACT or bool(found["rest"]) or _padded(mine) != _padded(wanted),
        "~=": mine >= cut and _begin_alike(mine, wanted[:-1]),
        "<": _padded(mine) < _padded(wanted),
        "<=": _padded(mine) <= _padded(wanted),
        ">": mine > cut if known >= _EXACT else mine >= cut,
        ">=": mine >= cut,
    }
    return meets.get(operator, mine == cut)


def _begin_alike(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    common = min(len(one), len(other))
    return one[:common] == other[:common]


def _padded(release: tuple[int, ...]) -> tuple[int, ...]:
    return (*release, *(0,) * _EXACT)[: max(_EXACT, len(release))]
