"""What repositories need of the stack that they share, written into it and read again."""

from __future__ import annotations

import itertools
import json

import pytest

from pipelines.errors import UsageError
from pipelines.infra.model import Place
from pipelines.infra.shared import shared
from pipelines.infra.tenants import UNNAMED, Resident, Tenant, beside, tenants_in

HERE = Place("111122223333", "us-east-1", "aws")
KEY = "arn:aws:kms:us-east-1:111122223333:key/1"
CHURN = Tenant(
    "acme/churn",
    (Resident("churn", "churn", "ml", KEY, ("a@example.com",), has_ci=True),),
    "connection",
    "GitHub",
    cached_days=300,
)
FRAUD = Tenant(
    "acme/fraud",
    (Resident("fraud", "fraud", "ml"), Resident("fraud-dev", "fraud-dev", "dev-ml")),
    issuer="gitlab.com",
)
DEALS = Tenant(
    "acme/deals", (Resident("deals", "deals", "deals", has_ci=True),), "s3", issuer="git.acme.org"
)


def test_the_template_has_all_that_each_needs_in_whichever_order() -> None:
    """So that it does not matter whose `ci apply` comes last."""
    orders = itertools.permutations((CHURN, FRAUD, DEALS))
    texts = {shared(HERE, tenants).text() for tenants in orders}
    assert len(texts) == 1
    template = shared(HERE, (CHURN, FRAUD, DEALS)).document()
    for one in (CHURN, FRAUD, DEALS):
        assert shared(HERE, [one]).document()["Resources"].keys() <= template["Resources"].keys()
    assert template["Parameters"]["RunsExpireAfterDays"]["Default"] == 330
    assert sum(one.startswith("IdentityProvider") for one in template["Resources"]) == 2
    rules = template["Resources"]["BucketMl"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert {"churn/runs/", "fraud/runs/"} <= {one.get("Prefix") for one in rules}


def test_what_is_written_is_what_is_read() -> None:
    """The metadata of a template are the facts that it is made of."""
    document = json.loads(json.dumps(shared(HERE, (CHURN, FRAUD, DEALS)).document()))
    read = tenants_in(document["Metadata"])
    assert {one.repository: one for one in read} == {
        one.repository: one for one in (CHURN, FRAUD, DEALS)
    }


@pytest.mark.parametrize(
    "metadata",
    [
        {"Repositories": []},
        {"Repositories": {"a/b": {"Pipelines": {}, "Later": 1}}},
        {"Repositories": {"a/b": {"Pipelines": {"x": {"Name": "x"}}}}},
        {"Repositories": {"a/b": {}}},
        {"Repositories": {"a/b": {"Pipelines": {"x": {}}}}},
    ],
)
def test_facts_of_another_version_are_not_guessed_at(metadata: dict[str, object]) -> None:
    """They would be lost by the next `ci apply`."""
    with pytest.raises(UsageError, match="cannot be read"):
        tenants_in(metadata)


def test_a_name_that_changes_changes_a_resource() -> None:
    """CloudFormation takes over metadata with a changed resource alone."""
    renamed = Tenant("acme/renamed", FRAUD.residents, issuer=FRAUD.issuer)
    resources = [shared(HERE, [one]).document()["Resources"] for one in (FRAUD, renamed)]
    assert resources[0] != resources[1]


def test_a_pipeline_is_that_of_one_repository() -> None:
    """Unless the other one is no more; one without a name has only lacked it."""
    mine = Tenant("acme/mine", (Resident("churn", "churn", "mine-ml"),))
    with pytest.raises(UsageError, match=r"has `churn` for the repository acme/churn") as refused:
        beside(mine, (CHURN, FRAUD), (), "it")
    assert "--forget acme/churn" in str(refused.value.remedy)
    assert beside(mine, (CHURN, FRAUD), ("acme/churn",), "it") == (FRAUD,)
    unnamed = Tenant(UNNAMED, CHURN.residents)
    assert beside(mine, (unnamed, FRAUD), (), "it") == (FRAUD,)
    assert beside(CHURN, (CHURN, FRAUD), (), "it") == (FRAUD,)
    for own, other in ((unnamed, CHURN), (Tenant(UNNAMED, FRAUD.residents), unnamed)):
        with pytest.raises(UsageError, match="this one has no name"):
            beside(own, (other,), (), "it")


def test_a_connection_that_was_made_stays() -> None:
    """Another stack may import it, and CloudFormation would refuse to remove it."""
    kept = shared(HERE, [FRAUD], ["Bitbucket"]).document()
    assert "ConnectionBitbucket" in kept["Resources"]
    assert "ConnectionBitbucket" in kept["Outputs"]
