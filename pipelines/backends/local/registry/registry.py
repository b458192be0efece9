"""The model registry as one object: what executors get as `StepCall.registry`."""

from __future__ import annotations

from pipelines.backends.local.registry.groups import Groups
from pipelines.backends.local.registry.models import Models
from pipelines.backends.local.registry.package_list import PackageList
from pipelines.backends.local.registry.packages import Packages
from pipelines.backends.local.registry.premises import Premises
from pipelines.backends.local.registry.tags import Tags


class LocalRegistry:
    """Groups, packages, models and tags; every operation is named and shaped as boto3's."""

    def __init__(self, premises: Premises) -> None:
        groups, packages = Groups(premises), Packages(premises)
        self.create_model_package_group = groups.create_model_package_group
        self.describe_model_package_group = groups.describe_model_package_group
        self.list_model_package_groups = groups.list_model_package_groups
        self.delete_model_package_group = groups.delete_model_package_group
        self.create_model_package = packages.create_model_package
        self.describe_model_package = packages.describe_model_package
        self.update_model_package = packages.update_model_package
        self.delete_model_package = packages.delete_model_package
        self.list_model_packages = PackageList(premises).list_model_packages
        models = Models(premises)
        self.create_model = models.create_model
        self.describe_model = models.describe_model
        self.list_models = models.list_models
        self.delete_model = models.delete_model
        tags = Tags(premises)
        self.add_tags = tags.add_tags
        self.list_tags = tags.list_tags
        self.delete_tags = tags.delete_tags
