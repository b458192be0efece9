"""Digest the SageMaker SDK's image configuration into `pipelines/images/tables/`.

    python tools/generate_images.py            writes the tables
    python tools/generate_images.py --check    exits 1 if one is outdated

Run it with a Python that has the SDK (`pip install sagemaker-core`), or name the folder of its
configuration with `--config`. The SDK itself is not imported: that takes seconds.

One table per family: every version with its repository, its tag for each processor, and its
registries. What the SDK calls a version alias is an alias here; a version with several Pythons
has an entry for each (`3.5-py39`), the newest also without the suffix.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

TARGET: Final = Path(__file__).resolve().parents[1] / "pipelines" / "images" / "tables"

# family -> the SDK's configurations that make it up; later ones add versions
FAMILIES: Final = {
    "pytorch": ("pytorch", "pytorch-amzn2023"),
    "tensorflow": ("tensorflow",),
    "huggingface": ("huggingface",),
    "sklearn": ("sklearn",),
    "xgboost": ("xgboost",),
    "spark": ("spark",),
}
SCOPES: Final = ("training", "inference", "processing")
BUILD_NUMBERED: Final = ("sklearn", "xgboost")

# What the configuration does not say, with its sources.
FACTS: Final = json.loads(Path(__file__).with_name("image_facts.json").read_bytes())

_ANY: Final = "any"
_PYTHON_2: Final = "2.7"


def python_of(repository: str, version: str, tag_part: str | None) -> str | None:
    """Return `3.12` of `py312`; of `py3`, or nothing, what is recorded of repository and version.

    Args:
        repository: the image's repository.
        version: as the configuration writes it; what is recorded of `2.4` holds for `2.4.1`.
        tag_part: the Python of the tag.
    """
    match = re.fullmatch(r"py(\d)(\d+)", tag_part or "")
    if match:
        return f"{match[1]}.{match[2]}"
    if tag_part == "py2":
        return _PYTHON_2
    recorded = FACTS["pythons"].get(repository, {})
    short = ".".join(version.split(".")[:2])
    found: str | None = recorded.get(version, recorded.get(short))
    return found


def _python_rank(name: str | None) -> tuple[int, int]:
    """Order `py2` < `py3` < `py36` < `py312`."""
    digits = (name or "py0")[2:]
    return int(digits[0]), int(digits[1:] or -1)


def _by_python(entry: dict[str, Any]) -> dict[str | None, dict[str, Any]]:
    """Return a version's variants by Python; old entries nest them, newer ones list them."""
    if "repository" not in entry:
        return dict(entry.items())
    return dict.fromkeys(entry.get("py_versions") or [None], entry)


class Table:
    """One family's table while it is being gathered."""

    def __init__(self, family: str) -> None:
        self.family = family
        self.registries: list[dict[str, str]] = []
        self.scopes: dict[str, dict[str, Any]] = {}

    def _registry_index(self, registries: dict[str, str]) -> int:
        ordered = dict(sorted(registries.items()))
        if ordered not in self.registries:
            self.registries.append(ordered)
        return self.registries.index(ordered)

    def _scope(self, name: str) -> dict[str, Any]:
        return self.scopes.setdefault(name, {"aliases": {}, "versions": {}})

    def add(self, scope: str, config: dict[str, Any]) -> None:
        """Add one scope of one of the SDK's configurations."""
        found = self._scope(scope)
        aliases = config.get("version_aliases", {})
        for version, entry in config["versions"].items():
            names = [version, *(alias for alias, full in aliases.items() if full == version)]
            for name in names:
                if name != "latest":
                    self._add_version(found, config, entry, name)
        if self.family in BUILD_NUMBERED:
            for version in config["versions"]:
                found["aliases"][version.partition("-")[0]] = version
            found["aliases"] = {
                alias: full for alias, full in found["aliases"].items() if alias != full
            }

    def _add_version(
        self, found: dict[str, Any], config: dict[str, Any], entry: dict[str, Any], name: str
    ) -> None:
        by_python = _by_python(entry)
        default = max(by_python, key=_python_rank)
        for python, variant in by_python.items():
            processors = variant.get("processors") or config.get("processors") or [None]
            row = self._row(variant, variant.get("tag_prefix", name), processors, python)
            row["python"] = python_of(variant["repository"], name, python)
            if python == default:
                found["versions"][name] = row
            if len(by_python) > 1:
                found["versions"][f"{name}-{python}"] = row

    def _row(
        self, entry: dict[str, Any], prefix: str, processors: list[Any], python: str | None
    ) -> dict[str, Any]:
        tags = {}
        for processor in processors:
            container = entry.get("container_version", {}).get(processor)
            in_tag = processor if entry.get("processor_in_tag", True) else None
            parts = (prefix, in_tag, python, container)
            tags[processor or _ANY] = "-".join(part for part in parts if part)
        return {
            "repository": entry["repository"],
            "registries": self._registry_index(entry["registries"]),
            "tags": tags,
        }

    def add_huggingface(self, scope: str, config: dict[str, Any]) -> None:
        """Add one scope of the configuration that nests frameworks below versions."""
        found = self._scope(scope)
        version_aliases = config["version_aliases"]
        for version, frameworks in config["versions"].items():
            base_aliases = frameworks.get("version_aliases", {})
            for base, entry in frameworks.items():
                if base == "version_aliases":
                    continue
                short = [alias for alias, full in base_aliases.items() if full == base]
                for name in (base, *short):
                    framework, number = re.findall(r"^([a-z]+)(.*)$", name)[0]
                    key = f"{framework}-{number}-transformers-{version}"
                    (python,) = entry["py_versions"]
                    processors = [
                        processor
                        for processor in config["processors"]
                        if processor in entry.get("container_version", {processor: None})
                    ]
                    row = self._row(entry, f"{number}-transformers{version}", processors, python)
                    row["python"] = python_of(entry["repository"], number, python)
                    found["versions"][key] = row
                    for alias, full in version_aliases.items():
                        if full == version:
                            found["aliases"][f"{framework}-{number}-transformers-{alias}"] = key

    def render(self, sdk: str) -> str:
        """Return the table's text, one version per line."""
        rows = [row for found in self.scopes.values() for row in found["versions"].values()]
        used = sorted({row["repository"] for row in rows} & FACTS["serving"].keys())
        serving = {repository: FACTS["serving"][repository] for repository in used}
        lines = [f'{{"sdk":{json.dumps(sdk)},']
        lines.append(f'"serving":{_compact(serving)},')
        lines.append(f'"cuda":{_compact(_cuda_of(row["repository"] for row in rows))},')
        lines.append('"registries":[')
        lines.append(",\n".join(_compact(registries) for registries in self.registries))
        lines.append('],\n"scopes":{')
        scopes = []
        for scope, found in sorted(self.scopes.items()):
            versions = ",\n".join(
                f"{_compact(name)}:{_compact(row)}" for name, row in found["versions"].items()
            )
            scopes.append(
                f'{_compact(scope)}:{{"aliases":{_compact(found["aliases"])},\n'
                f'"versions":{{\n{versions}\n}}}}'
            )
        lines.append(",\n".join(scopes))
        return "\n".join(lines) + "}}\n"


def _cuda_of(repositories: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return what is recorded of repositories: the CUDA of each version, by its first numbers."""
    used = sorted(set(repositories) & FACTS["cuda"].keys())
    return {
        name: {
            version: cuda for version, cuda in FACTS["cuda"][name].items() if version != "source"
        }
        for name in used
    }


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def generate(folder: Path, sdk: str) -> dict[str, str]:
    """Return the text of every table, by file name."""
    texts = {}
    for family, configurations in FAMILIES.items():
        table = Table(family)
        for name in configurations:
            whole = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
            for scope in SCOPES:
                if scope in whole and family == "huggingface":
                    table.add_huggingface(scope, whole[scope])
                elif scope in whole:
                    table.add(scope, whole[scope])
        texts[f"{family}.json"] = table.render(sdk)
    return texts


def sdk_folder() -> Path:
    """Return the image configuration of the installed SDK."""
    spec = importlib.util.find_spec("sagemaker")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(place) / "core" / "image_uri_config"
        if folder.is_dir():
            return folder
    raise SystemExit("the SageMaker SDK is not installed: install sagemaker-core, or pass --config")


def main() -> int:
    """Write or compare the tables; return the exit code."""
    parser = argparse.ArgumentParser(description="Digest the SDK's image configuration.")
    parser.add_argument("--check", action="store_true", help="compare only; 1 when outdated")
    parser.add_argument("--config", type=Path, help="folder of the SDK's image_uri_config")
    arguments = parser.parse_args()
    folder = arguments.config or sdk_folder()
    outdated = 0
    TARGET.mkdir(exist_ok=True)
    for name, text in generate(folder, importlib.metadata.version("sagemaker-core")).items():
        path = TARGET / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        outdated += 1
        print(f"{'outdated' if arguments.check else 'written'}: {name}")
        if not arguments.check:
            path.write_text(text, encoding="utf-8")
    return 1 if arguments.check and outdated else 0


if __name__ == "__main__":
    raise SystemExit(main())
