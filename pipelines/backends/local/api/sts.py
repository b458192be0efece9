"""STS: who the caller is. Everybody is the account of the registry's ARNs."""

from __future__ import annotations

from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from pipelines.backends.local.api.messages import Answer, Request
from pipelines.frozen import frozen

_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_HEADERS = {"Content-Type": "text/xml"}


@frozen
class Query:
    """The services of the query protocol, of which there is STS.

    Args:
        account: the account's id, 12 digits.
    """

    account: str

    def answer(self, request: Request) -> Answer:
        """Answer GetCallerIdentity; refuse anything else by its name."""
        form = dict(parse_qsl(request.body.decode("utf-8", errors="replace")))
        action = form.get("Action") or request.query.get("Action", "nothing")
        if action != "GetCallerIdentity":
            message = f"the local SageMaker does not have the operation {action}"
            return _refused("InvalidAction", message, 400, action)
        return Answer(200, _HEADERS, self._identity().encode(), "STS.GetCallerIdentity")

    def _identity(self) -> str:
        return (
            f'<GetCallerIdentityResponse xmlns="{_NAMESPACE}"><GetCallerIdentityResult>'
            f"<Arn>arn:aws:iam::{self.account}:user/local</Arn><UserId>AIDALOCAL</UserId>"
            f"<Account>{self.account}</Account></GetCallerIdentityResult>"
            "<ResponseMetadata><RequestId>local</RequestId></ResponseMetadata>"
            "</GetCallerIdentityResponse>"
        )


def bug(_request: Request) -> Answer:
    """Answer that something of ours is broken; the log has the traceback."""
    return _refused("InternalFailure", "this is a bug in pipelines", 500, "-")


def _refused(code: str, message: str, status: int, action: str) -> Answer:
    content = (
        f'<ErrorResponse xmlns="{_NAMESPACE}"><Error><Type>Sender</Type><Code>{code}</Code>'
        f"<Message>{escape(message)}</Message></Error><RequestId>local</RequestId></ErrorResponse>"
    )
    return Answer(status, _HEADERS, content.encode(), action)
