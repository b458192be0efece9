"""STS and IAM: who the caller is, which roles there are, and what they may do.

Every caller is a user of the account of the registry's ARNs, who may do everything; a role is there
as soon as somebody names it. Both services speak the query protocol: a form in, XML out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, quote
from xml.sax.saxutils import escape

from pipelines.backends.local.api.messages import HttpRefusal, HttpRequest, HttpResponse
from pipelines.frozen import frozen
from pipelines.json_types import Json

_NAMESPACES = {
    "STS": "https://sts.amazonaws.com/doc/2011-06-15/",
    "IAM": "https://iam.amazonaws.com/doc/2010-05-08/",
}
_HEADERS = {"Content-Type": "text/xml"}
_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_PRINCIPAL = re.compile(r"arn:[^:\s]+:(iam|sts)::\d{12}:\S+")
_CREATED = "2020-01-01T00:00:00Z"
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


class _InvalidInputError(Exception):
    """A parameter that IAM would refuse; its text is the message."""


@frozen
class QueryService:
    """The operations of the two services that SDKs call.

    Args:
        account: the account's id, 12 digits.
    """

    account: str

    def respond(self, request: HttpRequest) -> HttpResponse:
        """Respond to an operation that is there; refuse any other by its name."""
        form = dict(parse_qsl(request.body.decode("utf-8", errors="replace")))
        action = form.get("Action") or request.query.get("Action", "nothing")
        service = "STS" if action == "GetCallerIdentity" else "IAM"
        try:
            result = self._result(action, form)
        except _InvalidInputError as error:
            return _refused("ValidationError", str(error), 400, action)
        if result is None:
            message = f"the local SageMaker does not have the operation {action}"
            return _refused("InvalidAction", message, 400, action)
        content = (
            f'<{action}Response xmlns="{_NAMESPACES[service]}"><{action}Result>{_xml(result)}'
            f"</{action}Result><ResponseMetadata><RequestId>local</RequestId></ResponseMetadata>"
            f"</{action}Response>"
        )
        return HttpResponse(200, _HEADERS, content.encode(), f"{service}.{action}")

    def _result(self, action: str, form: dict[str, str]) -> Json:
        match action:
            case "GetCallerIdentity":
                return {"Arn": self._user, "UserId": "AIDALOCAL", "Account": self.account}
            case "GetUser":
                return {"User": self._entity("User", form.get("UserName", "local"))}
            case "GetRole":
                trust = quote(json.dumps(_TRUST))
                role = self._entity("Role", form.get("RoleName", ""))
                return {"Role": {**role, "AssumeRolePolicyDocument": trust}}
            case "SimulatePrincipalPolicy":
                return {"IsTruncated": "false", "EvaluationResults": _evaluated(form)}
            case _:
                return None

    @property
    def _user(self) -> str:
        return f"arn:aws:iam::{self.account}:user/local"

    def _entity(self, kind: str, name: str) -> dict[str, str]:
        if not _ROLE_NAME.fullmatch(name):
            raise _InvalidInputError(
                f"The specified value for {kind.lower()}Name is invalid. It must contain only"
                " alphanumeric characters and/or the following: +=,.@_-"
            )
        return {
            "Path": "/",
            f"{kind}Name": name,
            f"{kind}Id": f"A{kind[0]}{kind[1].upper()}ALOCAL",
            "Arn": f"arn:aws:iam::{self.account}:{kind.lower()}/{name}",
            "CreateDate": _CREATED,
        }


def refuse(_request: HttpRequest, refusal: HttpRefusal) -> HttpResponse:
    """Write a refusal as the service does."""
    return _refused(refusal.code, refusal.message, refusal.status, "-")


def _evaluated(form: dict[str, str]) -> list[Json]:
    actions = [*_members(form, "ActionNames")]
    if not actions or not _PRINCIPAL.fullmatch(form.get("PolicySourceArn", "")):
        raise _InvalidInputError("PolicySourceArn must be an ARN, and ActionNames names actions")
    resources = [*_members(form, "ResourceArns")] or ["*"]
    return [
        {"EvalActionName": action, "EvalResourceName": resource, "EvalDecision": "allowed"}
        for action in actions
        for resource in resources
    ]


def _members(form: dict[str, str], name: str) -> Iterator[str]:
    """Yield the items of a list, which a form has as `<name>.member.1`, `.2` and so on."""
    number = 1
    while (item := form.get(f"{name}.member.{number}")) is not None:
        yield item
        number += 1


def _xml(value: Json) -> str:
    match value:
        case dict():
            return "".join(f"<{name}>{_xml(one)}</{name}>" for name, one in value.items())
        case list():
            return "".join(f"<member>{_xml(one)}</member>" for one in value)
        case _:
            return escape(str(value))


def _refused(code: str, message: str, status: int, action: str) -> HttpResponse:
    content = (
        f'<ErrorResponse xmlns="{_NAMESPACES["STS"]}"><Error><Type>Sender</Type><Code>{code}</Code>'
        f"<Message>{escape(message)}</Message></Error><RequestId>local</RequestId></ErrorResponse>"
    )
    return HttpResponse(status, _HEADERS, content.encode(), action)
