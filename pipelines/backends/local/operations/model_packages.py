"""Model package groups, their versions, and unversioned model packages."""

from __future__ import annotations

from pipelines.backends.local.errors import conflict, invalid
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.operations.context import OperationContext
from pipelines.backends.local.operations.model_data import with_etags
from pipelines.backends.local.operations.operation import operation
from pipelines.backends.local.operations.package_update import updated_package
from pipelines.backends.local.operations.requests import (
    PageRequest,
    all_but,
    bounds,
    given,
    moment,
    page_named,
)
from pipelines.backends.local.state.paging import PageQuery
from pipelines.backends.local.state.resources import NamedRecord, PackageRecord
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_LISTED = (
    "ModelPackageDescription",
    "ModelApprovalStatus",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
)
_NUMBER = "coalesce(version, 0)"
_NOT_DESCRIBED = ("ModelPackageName", "ModelPackageGroupName", "Tags", "ClientToken")


@frozen
class ModelPackageOperations:
    """Groups and packages; a group may be named by its ARN, a package by it or `group/version`."""

    context: OperationContext
    objects: ObjectStore

    @operation("CreateModelPackageGroup")
    def create_model_package_group(self, **request: Json) -> JsonObject:
        """Create a group."""
        name = request["ModelPackageGroupName"]
        arn = self.context.arn(f"model-package-group/{name}")
        content = all_but(request, "ModelPackageGroupName", "Tags")
        record = NamedRecord(name, arn, content, self.context.now())
        if not self.context.state.package_groups.add(record, request.get("Tags") or []):
            raise invalid(f"Model Package Group already exists: {arn}")
        return {"ModelPackageGroupArn": arn}

    @operation("DescribeModelPackageGroup")
    def describe_model_package_group(self, **request: Json) -> JsonObject:
        """Return a group."""
        group = self._require_group(request["ModelPackageGroupName"])
        return {**_group_summary(group), "CreatedBy": {}}

    @operation("ListModelPackageGroups")
    def list_model_package_groups(self, **request: Json) -> JsonObject:
        """List groups, the oldest first; none of them is another account's."""
        if request.get("CrossAccountFilterOption") == "CrossAccount":
            return {"ModelPackageGroupSummaryList": []}
        groups = self.context.state.package_groups.all()
        groups, token = page_named(groups, request, "Ascending")
        summaries = [_group_summary(group) for group in groups]
        return {"ModelPackageGroupSummaryList": summaries, **token}

    @operation("DeleteModelPackageGroup")
    def delete_model_package_group(self, **request: Json) -> JsonObject:
        """Delete a group that has no packages.

        Raises:
            ServiceError: ConflictException, while it has some.
        """
        state = self.context.state
        with state.transaction():
            group = self._require_group(request["ModelPackageGroupName"])
            count = state.packages.count(group.name)
            if count:
                raise conflict(
                    f"Model Package Group {group.arn} still has {count} model packages.",
                    "delete them first",
                )
            state.package_groups.remove(group)
        return {}

    @operation("CreateModelPackage")
    def create_model_package(self, **request: Json) -> JsonObject:
        """Create a version of a group, or an unversioned package.

        The same ClientToken returns the same package: token and package are one transaction. A
        version is `PendingManualApproval` unless the request says otherwise. Numbers of deleted
        versions are not used again.
        """
        token, packages = request.get("ClientToken"), self.context.state.packages
        with self.context.state.transaction():
            known = None if token is None else packages.with_token(token)
            package = known or self._new_package(request)
            if known is None:
                packages.add(package, request.get("Tags") or [])
        return {"ModelPackageArn": package.arn}

    @operation("DescribeModelPackage")
    def describe_model_package(self, **request: Json) -> JsonObject:
        """Return a package with every member that it was created with."""
        package = self._require(request["ModelPackageName"])
        content = dict(package.content)
        if request.get("IncludedData") == "MetadataOnly":
            content.pop("ModelCard", None)
        modified = package.modified
        return {
            "CertifyForMarketplace": False,
            **content,
            **_identity(package),
            "CreatedBy": {},
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            **({} if modified is None else {"LastModifiedTime": moment(modified)}),
        }

    @operation("ListModelPackages")
    def list_model_packages(self, **request: Json) -> JsonObject:
        """List packages, the oldest first; without a group or type only unversioned ones."""
        by_name = request.get("SortBy") == "Name"
        asked = PageRequest.of(request, "Ascending", ("", 0) if by_name else (0.0, "", 0))
        order = ("name", _NUMBER) if by_name else ("created", "name", _NUMBER)
        query = PageQuery(_listed(request), order, asked.descending, asked.last, asked.size + 1)
        packages, token = asked.cut(
            self.context.state.packages.listed(query),
            lambda one: (
                (one.name, one.version or 0)
                if by_name
                else (one.created, one.name, one.version or 0)
            ),
        )
        summaries = [{**_identity(one), **given(one.content, _LISTED)} for one in packages]
        return {"ModelPackageSummaryList": summaries, **token}

    @operation("UpdateModelPackage")
    def update_model_package(self, **request: Json) -> JsonObject:
        """Change a package; members that the request does not name stay as they are."""
        with self.context.state.transaction():
            package = self._require(request.get("ModelPackageArn", ""))
            content = updated_package(package.content, request)
            self.context.state.packages.save(package.arn, content, self.context.now())
        return {"ModelPackageArn": package.arn}

    @operation("DeleteModelPackage")
    def delete_model_package(self, **request: Json) -> JsonObject:
        """Delete a package."""
        self.context.state.packages.remove(self._require(request["ModelPackageName"]).arn)
        return {}

    def _new_package(self, request: JsonObject) -> PackageRecord:
        content = with_etags(all_but(request, *_NOT_DESCRIBED), self.objects)
        now = self.context.now()
        token = request.get("ClientToken")
        if request.get("ModelPackageGroupName") is not None:
            group = self._group_of_version(request)
            version = self.context.state.packages.next_version(group)
            arn = self.context.arn(f"model-package/{group}/{version}")
            content.setdefault("ModelApprovalStatus", "PendingManualApproval")
            return PackageRecord(arn, group, group, version, content, now, token=token)
        name = request.get("ModelPackageName")
        if name is None:
            raise invalid("Missing ARN.")  # the whole text, as the service has it
        arn = self.context.arn(f"model-package/{name}")
        if self.context.state.packages.find(arn) is not None:
            raise invalid(f"ModelPackage already exists: {arn}")
        return PackageRecord(arn, name, None, None, content, now, token=token)

    def _group_of_version(self, request: JsonObject) -> str:
        name = _group_name(request["ModelPackageGroupName"])
        if request.get("ModelPackageName") is not None:
            raise invalid(
                "Both ModelPackageName and ModelPackageGroupName are provided in the input."
                " Cannot determine which one to use."
            )
        if request.get("Tags"):
            raise invalid("a version of a group has no tags", "put them on the group")
        if self.context.state.package_groups.find(name) is None:
            raise invalid("Model Package Group does not exist.")  # the service's whole text
        return name

    def _require_group(self, name_or_arn: str) -> NamedRecord:
        is_arn = name_or_arn.startswith("arn:")
        arn = name_or_arn if is_arn else self.context.arn(f"model-package-group/{name_or_arn}")
        group = self.context.state.package_groups.find(_group_name(arn))
        if group is None or group.arn != arn:
            raise invalid(f"Model Package Group {arn} does not exist.")
        return group

    def _require(self, name: str) -> PackageRecord:
        arn = name if str(name).startswith("arn:") else self.context.arn(f"model-package/{name}")
        package = self.context.state.packages.find(arn)
        if package is None:
            raise invalid(f"ModelPackage {arn} does not exist.")
        return package


def _group_name(name_or_arn: str) -> str:
    return str(name_or_arn).rpartition("/")[2]


def _listed(request: JsonObject) -> tuple[tuple[str, Json], ...]:
    """Return the conditions, in SQL, of the packages that a request lists."""
    group, kind = request.get("ModelPackageGroupName"), request.get("ModelPackageType")
    is_versioned = None if kind == "Both" else kind == "Versioned"
    after, before = bounds(request, "CreationTimeAfter", "CreationTimeBefore")
    return (
        ("group_name = ?", None if group is None else _group_name(group)),
        ("(group_name IS NOT NULL) = ?", is_versioned if group is None else None),
        ("instr(name, ?)", request.get("NameContains") or None),
        ("json_extract(record, '$.ModelApprovalStatus') = ?", request.get("ModelApprovalStatus")),
        ("created > ?", after),
        ("created < ?", before),
    )


def _group_summary(group: NamedRecord) -> JsonObject:
    return {
        "ModelPackageGroupName": group.name,
        "ModelPackageGroupArn": group.arn,
        "CreationTime": moment(group.created),
        "ModelPackageGroupStatus": "Completed",
        **group.content,
    }


def _identity(package: PackageRecord) -> JsonObject:
    """Return what List and Describe say first; a version has no ModelPackageName."""
    named = (
        {"ModelPackageName": package.name}
        if package.group is None
        else {"ModelPackageGroupName": package.group, "ModelPackageVersion": package.version}
    )
    return {
        **named,
        "ModelPackageArn": package.arn,
        "CreationTime": moment(package.created),
        "ModelPackageStatus": "Completed",
    }
