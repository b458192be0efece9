"""Which region lacks what, compared with CloudFormation's own registry."""

from __future__ import annotations

import pytest
from cfnlint.helpers import REGIONS
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from pipelines.infra.regions import MISSING, has


@pytest.mark.parametrize("resource_type", sorted(MISSING))
def test_the_regions_are_those_of_the_registry(resource_type: str) -> None:
    """As the newest tested cfn-lint knows them; a new region shows here."""
    missing = {
        r for r in REGIONS if resource_type not in PROVIDER_SCHEMA_MANAGER.get_resource_types(r)
    }
    assert MISSING[resource_type] == missing


def test_what_is_in_no_list_is_everywhere() -> None:
    """A bucket, say."""
    assert has("AWS::S3::Bucket", "mx-central-1")
