"""STS and IAM, as far as SDKs ask them: who am I, which role is that, what may it do."""

from __future__ import annotations

from tests.local.api.conftest import ROLE, Served, refusal


def test_a_role_is_there_as_soon_as_somebody_names_it(served: Served) -> None:
    """An SDK makes its ARN of its name; SageMaker may assume it."""
    role = served.client("iam").get_role(RoleName="x")["Role"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert role["Arn"] == ROLE
    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    code, _, status = refusal(served.client("iam").get_role, RoleName="a b")
    assert (code, status) == ("ValidationError", 400)


def test_the_caller_is_a_user_of_the_account(served: Served) -> None:
    """STS and IAM return the same one."""
    user = served.client("iam").get_user()["User"]
    assert user["Arn"] == served.client("sts").get_caller_identity()["Arn"]


def test_everything_is_allowed(served: Served) -> None:
    """Each action on each resource has a decision of its own."""
    asked = {"ActionNames": ["s3:GetObject", "sagemaker:*"], "ResourceArns": ["a", "b<c"]}
    iam = served.client("iam")
    results = iam.simulate_principal_policy(PolicySourceArn=ROLE, **asked)["EvaluationResults"]
    assert {one["EvalDecision"] for one in results} == {"allowed"}
    pairs = [(one["EvalActionName"], one["EvalResourceName"]) for one in results]
    assert pairs == [(a, r) for a in asked["ActionNames"] for r in asked["ResourceArns"]]
    code, message, status = refusal(
        iam.simulate_principal_policy, PolicySourceArn="x" * 20, **asked
    )
    assert (code, status) == ("ValidationError", 400)
    assert "PolicySourceArn" in message


def test_another_operation_is_refused_by_its_name(served: Served) -> None:
    """With the code of the query protocol."""
    code, message, _ = refusal(served.client("iam").list_roles)
    assert (code, "ListRoles" in message) == ("InvalidAction", True)
