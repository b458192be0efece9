"""What a step names → ARNs: the resources that permissions are on.

What an execution decides is `*` from there on. Prefixes of the pipeline stand for what lies below
them, so that a policy stays the same when code or data change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pipelines.definition.named import known_beginning
from pipelines.definition.needs import objects_read_by
from pipelines.definition.steps import Definition, Step
from pipelines.frozen import frozen
from pipelines.grammar.functions import JOIN, STEPS, target_of
from pipelines.grammar.paths import PathError, follow, parse_path
from pipelines.json_types import Json
from pipelines.spec.model import Aws
from pipelines.steptypes.places import below, value_at

_ROLE = re.compile(r"arn:[a-z-]+:iam::\d{12}:role/\S+")
_QUEUE = re.compile(r"https://sqs\.([a-z0-9-]+)\.[^/]+/(\d{12})/(\S+)")
_IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.[^/]+/([^:@]+)")
_MANIFESTS = frozenset({"ManifestFile", "AugmentedManifestFile"})
_SPECIAL = re.compile(r"[*?$]")
_STARS = re.compile(r"\*{2,}")
_ARCHIVE = "ModelDataUrl"
_OUTPUT = "S3OutputPath"
_BY_THE_SERVICE = "pipelines-*"
"""How the service begins the names that it gives to jobs and models (FACTS 11.7)."""


@frozen
class Resources:
    """Makes ARNs of what the steps of a definition name.

    Args:
        aws: the account.
        pipeline: the pipeline's name, which is its prefix in the bucket.
        definition: the definition.
    """

    aws: Aws
    pipeline: str
    definition: Definition

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource of the account, in its region; IAM has none."""
        region = "" if service == "iam" else self.aws.region
        owner = f"{service}:{region}:{self._account}"
        return _STARS.sub("*", f"arn:{self.partition}:{owner}:{resource}")

    @property
    def partition(self) -> str:
        """The partition of the account."""
        return self.aws.role.split(":")[1]

    @property
    def _account(self) -> str:
        return self.aws.role.split(":")[4]

    def sagemaker(self, resource: str) -> Iterator[str]:
        """Yield the ARNs of a resource of SageMaker's, whose ARNs hold names in lower case too."""
        yield from dict.fromkeys(self.arn("sagemaker", one) for one in (resource, resource.lower()))

    def of_noun(self, step: Step, noun: str) -> Iterator[str]:
        """Yield the ARNs of what a step creates or uses, by the noun of its ARN."""
        if "/" in noun:
            yield from self.sagemaker(noun)
        elif noun == "model-package":
            yield from self.sagemaker(f"{noun}/{self._name(step, 'ModelPackageGroupName')}/*")
        else:
            resource = step.known.resource if step.known is not None else None
            member = resource.name if resource is not None and resource.noun == noun else None
            camel = "".join(word.capitalize() for word in noun.split("-"))
            yield from self.sagemaker(f"{noun}/{self._name(step, member or f'{camel}Name')}")

    def _name(self, step: Step, member: str) -> str:
        value = step.arguments.get(member)
        if value is None:
            return _BY_THE_SERVICE
        base = step.known is not None and member in step.known.supplied
        text, whole = self.known(value)
        return text if whole and not base else f"{text}*"

    def known(self, value: Json) -> tuple[str, bool]:
        """Return what is known of a text before the pipeline runs, and whether that is all."""
        target = target_of(value)
        if target is not None:
            step = self.definition.named.get(target.name) if target.root == STEPS else None
            if step is None:
                return "", False
            try:
                return self.known(follow(step.arguments, parse_path(target.path.lstrip("."))))
            except PathError:
                return "", False
        if _is_join(value):
            first = (value[JOIN].get("Values") or [""])[0]
            return known_beginning(value) or self.known(first)[0], False
        return known_beginning(value), isinstance(value, str)

    def model_of(self, step: Step) -> Step | None:
        """Return the step that makes the model that a job runs; None where it is none of here."""
        named = step.known.runs_model if step.known is not None else None
        target = target_of(step.arguments.get(named)) if named is not None else None
        return self.definition.named.get(target.name) if target is not None else None

    def reads(self, step: Step) -> tuple[str, ...]:
        """Return the URIs that a job reads, as far as they are known."""
        values = [*objects_read_by(step)]
        values.append(value_at(step.arguments, "CheckpointConfig.S3Uri"))
        return self.uris(values)

    def reads_unknown(self, step: Step) -> bool:
        """Return whether a job reads objects that only an execution names, as a parameter does.

        A manifest, too, names objects that are not known here.
        """
        kinds = texts(members(own_arguments(step), "S3DataType"))
        return any(kind in _MANIFESTS for kind in kinds) or any(
            not self.uris([source]) for source in objects_read_by(step)
        )

    def writes_unknown(self, step: Step) -> bool:
        """Return whether a job writes where only an execution knows."""
        read = [*objects_read_by(step)]
        places = step.known.outputs if step.known is not None else ()
        entries = ((one, entry) for one in places for _, entry in below(step.arguments, one.at))
        named = [one.uri_of(entry) for one, entry in entries if isinstance(entry, dict)]
        named += members(own_arguments(step), _OUTPUT)
        return any(one not in (None, *read) and not self.uris([one]) for one in named)

    def writes(self, step: Step) -> tuple[str, ...]:
        """Return the URIs that a job writes: those that it names and does not read."""
        return self.uris(_written(step))

    def writes_below(self, step: Step) -> tuple[str, ...]:
        """Return them as folders: a job writes objects below each, and none beside it."""
        return self.folders(_written(step))

    def folders(self, values: Iterable[Json]) -> tuple[str, ...]:
        """Return what is known of URIs, each with a slash where it is known to its end."""
        found = ((uri, self.known(value)[1]) for value in values for uri in self.uris([value]))
        return tuple(dict.fromkeys(f"{uri.rstrip('/')}/" if whole else uri for uri, whole in found))

    def names(self, step: Step) -> tuple[str, ...]:
        """Return every URI that the arguments of a step name, read or written."""
        leaves = _leaves(own_arguments(step))
        return self.uris(one for key, one in leaves if key.startswith("S3") or key == _ARCHIVE)

    def uris(self, values: Iterable[Json]) -> tuple[str, ...]:
        """Return what is known of URIs; of what another step makes, where that one writes."""
        found: dict[str, None] = {}
        for value in values:
            text, whole = self.known(value)
            target = target_of(value[JOIN]["Values"][0] if _is_join(value) else value)
            if text.startswith("s3://"):
                bucket, slash, key = text.removeprefix("s3://").partition("/")
                if slash or (whole and bucket):  # else it might be any bucket
                    found[f"s3://{bucket}/{key}"] = None
            elif target is not None and target.name in self.definition.named:
                found.update(dict.fromkeys(self.writes(self.definition.named[target.name])))
        return tuple(found)

    def objects(self, uris: Iterable[str]) -> tuple[str, ...]:
        """Return the ARNs of the objects below URIs, in the pipeline's prefix all of an area."""
        return tuple(f"arn:{self.partition}:s3:::{area}*" for area in self.areas(uris))

    def areas(self, uris: Iterable[str]) -> tuple[str, ...]:
        """Return bucket and prefix of URIs, in the pipeline's prefix those of an area.

        What a policy would read as a wildcard or a variable stands for itself in them.
        """
        return tuple(dict.fromkeys(_SPECIAL.sub(r"${\g<0>}", self._area(uri)) for uri in uris))

    def listings(self, areas: Iterable[str]) -> Iterator[tuple[str, str | None]]:
        """Yield the bucket of each area, as an ARN, and the prefix that is listed there.

        The prefix is a pattern, None for the whole bucket.
        """
        for bucket, key in sorted({area.partition("/")[::2] for area in areas}):
            yield f"arn:{self.partition}:s3:::{bucket}", f"{key}*" if key else None

    def prefix(self, area: str) -> str:
        """Return the URI of a prefix of the pipeline, such as `runs/`."""
        return f"s3://{self.aws.bucket}/{self.pipeline}/{area}"

    def _area(self, uri: str) -> str:
        own = self.prefix("")
        if uri.startswith(own):
            area, slash, _ = uri.removeprefix(own).partition("/")
            uri = f"{own}{area}{slash}"
        return uri.removeprefix("s3://")

    def repositories(self, images: Iterable[str]) -> tuple[str, ...]:
        """Return the ARNs of the repositories of images in ECR."""
        found = (_IMAGE.match(image) for image in images)
        return tuple(
            dict.fromkeys(
                f"arn:{self.partition}:ecr:{one[2]}:{one[1]}:repository/{one[3]}"
                for one in found
                if one is not None
            )
        )

    def named_by(self, value: Json) -> Iterator[str]:
        """Yield the ARN of what a text names: an ARN itself, or the URL of a queue.

        Nothing where only an execution knows: it might be any function or queue of the account.
        """
        text, whole = self.known(value)
        queue = _QUEUE.fullmatch(text) if whole else None
        if queue is not None:
            yield f"arn:{self.partition}:sqs:{queue[1]}:{queue[2]}:{queue[3]}"
        elif whole and text.startswith("arn:"):
            yield text


def roles_in(value: Json) -> Iterator[str]:
    """Yield the ARNs of roles in a value."""
    if isinstance(value, str):
        if _ROLE.fullmatch(value):
            yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from roles_in(inner)


def members(value: Json, *names: str) -> Iterator[Json]:
    """Yield every value of members with one of these names, at any depth."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in names:
                yield inner
            else:
                yield from members(inner, *names)
    elif isinstance(value, list):
        for inner in value:
            yield from members(inner, *names)


def texts(values: Iterable[Json]) -> tuple[str, ...]:
    """Return the texts among values and in lists of them, each once."""
    flat = (one for value in values for one in (value if isinstance(value, list) else [value]))
    return tuple(dict.fromkeys(one for one in flat if isinstance(one, str)))


def key_arn(aws: Aws, key: str) -> tuple[str, str | None]:
    """Return the ARN that a policy names a KMS key by, and the alias that has to be the key's.

    Args:
        aws: the account.
        key: an id, an alias, or the ARN of either. A policy names keys, never an alias.
    """
    name = key.rpartition(":")[2].removeprefix("key/")
    alias = name if name.startswith("alias/") else None
    if key.startswith("arn:"):
        place = key.rpartition(":")[0]
    else:
        partition, account = aws.role.split(":")[1], aws.role.split(":")[4]
        place = f"arn:{partition}:kms:{aws.region}:{account}"
    return f"{place}:key/{'*' if alias else name}", alias


def own_arguments(step: Step) -> Json:
    """Return the arguments of a step without those of the steps inside it."""
    return step.apart.get("Arguments")


def _written(step: Step) -> list[Json]:
    """Return the values by which a job names where it writes."""
    read = [*objects_read_by(step)]
    leaves = _leaves(own_arguments(step))
    named = [one for key, one in leaves if key.startswith("S3") and target_of(one) is None]
    return [one for one in named if one not in read]


def _leaves(value: Json, key: str = "") -> Iterator[tuple[str, Json]]:
    """Yield the name and the value of every member that is a text or a function."""
    if isinstance(value, str) or target_of(value) is not None or _is_join(value):
        yield key, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, key)


def _is_join(value: Json) -> bool:
    return isinstance(value, dict) and JOIN in value
