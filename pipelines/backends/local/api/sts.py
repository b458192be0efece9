"""STS: who the caller is. Every caller is the account of the registry's ARNs."""

from __future__ import annotations

from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from pipelines.backends.local.api.messages import HttpRefusal, HttpRequest, HttpResponse
from pipelines.frozen import frozen

_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_HEADERS = {"Content-Type": "text/xml"}


@frozen
class StsService:
    """STS, the only service with the query protocol.

    Args:
        account: the account's id, 12 digits.
    """

    account: str

    def respond(self, request: HttpRequest) -> HttpResponse:
        """Respond to GetCallerIdentity; refuse anything else by its name."""
        form = dict(parse_qsl(request.body.decode("utf-8", errors="replace")))
        action = form.get("Action") or request.query.get("Action", "nothing")
        if action != "GetCallerIdentity":
            message = f"the local SageMaker does not have the operation {action}"
            return _refused("InvalidAction", message, 400, action)
        return HttpResponse(200, _HEADERS, self._identity().encode(), "STS.GetCallerIdentity")

    def _identity(self) -> str:
        return (
            f'<GetCallerIdentityResponse xmlns="{_NAMESPACE}"><GetCallerIdentityResult>'
            f"<Arn>arn:aws:iam::{self.account}:user/local</Arn><UserId>AIDALOCAL</UserId>"
            f"<Account>{self.account}</Account></GetCallerIdentityResult>"
            "<ResponseMetadata><RequestId>local</RequestId></ResponseMetadata>"
            "</GetCallerIdentityResponse>"
        )


def refuse(_request: HttpRequest, refusal: HttpRefusal) -> HttpResponse:
    """Write a refusal as the service does."""
    return _refused(refusal.code, refusal.message, refusal.status, "-")


def _refused(code: str, message: str, status: int, action: str) -> HttpResponse:
    content = (
        f'<ErrorResponse xmlns="{_NAMESPACE}"><Error><Type>Sender</Type><Code>{code}</Code>'
        f"<Message>{escape(message)}</Message></Error><RequestId>local</RequestId></ErrorResponse>"
    )
    return HttpResponse(status, _HEADERS, content.encode(), action)
