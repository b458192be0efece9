"""What an error of AWS means, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable

from pipelines.backends.aws.attempt import CallAttempt
from pipelines.frozen import frozen

_ACTION = re.compile(r"perform: ([A-Za-z0-9-]+:[A-Za-z0-9*]+)")
_RESOURCE = re.compile(r"on (?:the )?resource:? (?:\")?(\S+?)[\".,]?(?:\s|$)")
_WHO = re.compile(r"User: (\S+) is not authorized")
_SECRETS = (
    (re.compile(r"(?<=//)[^/@\s]+@"), "…@"),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b"), "…"),
    (
        re.compile(r"(?i)(x-amz-security-token|x-amz-signature|x-amz-credential)=[^&\s\"']+"),
        r"\1=…",
    ),
)
_WITHOUT = "or use the local SageMaker with --local, where the command has it"
_DOCTOR = "`pipelines doctor` checks everything that is needed"


@frozen
class ErrorReply:
    """What came back: the service's code or botocore's exception, its message, the HTTP status."""

    code: str
    message: str
    status: int


def redact(text: str) -> str:
    """Take what may be a credential out of a message that we did not write."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def advise(reply: ErrorReply, attempt: CallAttempt) -> tuple[str, str | None]:
    """Return the problem and the remedy."""
    if attempt.operation.startswith("head_"):
        reply = ErrorReply(
            _OF_HEAD.get((attempt.operation, reply.code), reply.code), "", reply.status
        )
    for codes, answer in _ANSWERS:
        if reply.code in codes:
            return answer(reply, attempt)
    if reply.status >= 500:
        return _failing(reply, attempt)
    if "names must be unique" in reply.message:  # it was not there when it was looked for
        return _contended(reply, attempt)
    if "assume" in reply.message and "role" in reply.message.lower():
        return _role(reply, attempt)
    return f"{attempt.who} refused {_what(attempt)}: {_words(reply)}", None


def _what(attempt: CallAttempt) -> str:
    return f"{attempt.action} on {attempt.resource}" if attempt.resource else attempt.action


def _words(reply: ErrorReply) -> str:
    message = "a page of HTML" if reply.message.lstrip().startswith("<") else reply.message
    return f"{reply.code}: {message}" if message else reply.code or "no reason given"


def _denied(reply: ErrorReply, attempt: CallAttempt) -> tuple[str, str]:
    action, resource = _ACTION.search(reply.message), _RESOURCE.search(reply.message)
    what = action[1] if action else attempt.action
    where = resource[1] if resource else attempt.resource
    who = _WHO.search(reply.message)
    problem = f"AWS refused {what} on {where or '*'}" + (f" to {who[1]}" if who else "")
    if "explicit deny" in reply.message:
        return problem, f"a policy denies {what} explicitly: ask who owns the account; {_DOCTOR}"
    if attempt.service == "s3" and not action:
        return problem, (
            f"allow {what} (and s3:ListBucket, without which a missing object looks forbidden), "
            f"or name a bucket of your own account in `aws.bucket`; {_DOCTOR}"
        )
    return problem, f"allow {what} on {where or '*'} to {'it' if who else 'your role'}; {_DOCTOR}"


def _no_credentials(_said: ErrorReply, attempt: CallAttempt) -> tuple[str, str]:
    return (
        "there are no AWS credentials",
        (
            f"log in ({_login(attempt)}), set AWS_PROFILE, or export AWS_ACCESS_KEY_ID and "
            f"AWS_SECRET_ACCESS_KEY; {_WITHOUT}"
        ),
    )


def _expired(_said: ErrorReply, attempt: CallAttempt) -> tuple[str, str]:
    return "the AWS credentials have expired", f"log in again: {_login(attempt)}; {_WITHOUT}"


def _invalid_credentials(reply: ErrorReply, attempt: CallAttempt) -> tuple[str, str]:
    return (
        f"AWS does not accept the credentials ({reply.code})",
        (
            "check which ones are in use (aws sts get-caller-identity), "
            f"log in: {_login(attempt)}; {_WITHOUT}"
        ),
    )


def _not_retrieved(reply: ErrorReply, attempt: CallAttempt) -> tuple[str, str]:
    return (
        f"the AWS credentials could not be retrieved ({reply.code})",
        f"log in: {_login(attempt)}; {_WITHOUT}",
    )


def _no_profile(_said: ErrorReply, attempt: CallAttempt) -> tuple[str, str]:
    return (
        f"there is no AWS profile `{attempt.profile}`",
        f"`aws configure list-profiles` lists the profiles; {_WITHOUT}",
    )


def _login(attempt: CallAttempt) -> str:
    return "aws sso login" + (f" --profile {attempt.profile}" if attempt.profile else "")


def _throttled(_said: ErrorReply, attempt: CallAttempt) -> tuple[str, str]:
    return (
        f"AWS kept throttling {_what(attempt)}",
        "others use the account too: try again in a minute; what is done is kept",
    )


def _failing(reply: ErrorReply, attempt: CallAttempt) -> tuple[str, str]:
    return (
        f"AWS failed in {_what(attempt)}, several times ({reply.status} {_words(reply)})",
        "this is a failure of AWS: try again later; what is done is kept",
    )


def _unreachable(reply: ErrorReply, attempt: CallAttempt) -> tuple[str, str]:
    return (
        f"AWS was not reached for {_what(attempt)} in {attempt.region}: {reply.message}",
        "check the network, the proxy and the spelling of the region; what is done is kept",
    )


def _unreadable(_said: ErrorReply, attempt: CallAttempt) -> tuple[str, str]:
    return (
        f"the response to {_what(attempt)} did not come from AWS",
        (
            "a proxy may have responded instead, or AWS is failing: check the network, "
            "try again later; what is done is kept"
        ),
    )


def _elsewhere(_said: ErrorReply, attempt: CallAttempt) -> tuple[str, str]:
    bucket = attempt.request.get("Bucket", "")
    return (
        f"the bucket {bucket} is in another region than {attempt.region}",
        (
            "SageMaker needs both in one region: name a bucket there in `aws.bucket`, "
            "or change `aws.region`"
        ),
    )


def _no_bucket(_said: ErrorReply, attempt: CallAttempt) -> tuple[str, str]:
    bucket = attempt.request.get("Bucket", "")
    return (
        f"there is no bucket {bucket}",
        f"create it: aws s3 mb s3://{bucket} --region {attempt.region}; or change `aws.bucket`",
    )


def _role(reply: ErrorReply, attempt: CallAttempt) -> tuple[str, str]:
    return (
        f"SageMaker may not assume the role in {_what(attempt)}: {reply.message}",
        (
            "the role of `aws.role` has to exist in this account and to trust "
            f"sagemaker.amazonaws.com (sts:AssumeRole); {_DOCTOR}"
        ),
    )


def _contended(reply: ErrorReply, attempt: CallAttempt) -> tuple[str, str]:
    return (
        f"somebody else is changing the same resource: {_what(attempt)}: {reply.message}",
        "run the command again: it reads the current state first",
    )


def _limited(reply: ErrorReply, attempt: CallAttempt) -> tuple[str, str]:
    return (
        f"a limit of the account prevents {_what(attempt)}: {reply.message}",
        "request an increase in Service Quotas, or remove what is no longer used",
    )


def _our_request(reply: ErrorReply, attempt: CallAttempt) -> tuple[str, None]:
    return f"the request {_what(attempt)} is not valid: {reply.message}", None


def _model(reply: ErrorReply, _attempt: CallAttempt) -> tuple[str, None]:
    """The container's own answer: nobody else has refused anything."""
    return f"the model returned an error: {reply.message}", None


_OF_HEAD = {
    ("head_bucket", "404"): "NoSuchBucket",
    ("head_bucket", "400"): "InvalidToken",
    ("head_object", "400"): "InvalidToken",
}
"""What a bare status stands for: the response to HEAD has no body that could say it."""

_Answer = Callable[[ErrorReply, CallAttempt], tuple[str, str | None]]

_ANSWERS: tuple[tuple[frozenset[str], _Answer], ...] = (
    (
        frozenset({"AccessDenied", "AccessDeniedException", "403", "Forbidden",
                   "UnauthorizedOperation", "NotAuthorized"}),
        _denied,
    ),
    (frozenset({"NoCredentialsError", "PartialCredentialsError", "NoAuthTokenError"}),
     _no_credentials),
    (
        frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired",
                   "UnauthorizedSSOTokenError", "SSOTokenLoadError", "LoginRefreshRequired"}),
        _expired,
    ),
    (
        frozenset({"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId",
                   "SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure",
                   "IncompleteSignature", "MissingAuthenticationToken", "InvalidToken"}),
        _invalid_credentials,
    ),
    (
        frozenset({"CredentialRetrievalError", "TokenRetrievalError", "MetadataRetrievalError",
                   "SSOError", "RefreshWithMFAUnsupportedError", "InvalidConfigError",
                   "InfiniteLoopConfigError", "LoginError", "LoginTokenLoadError",
                   "LoginInsufficientPermissions", "UnknownCredentialError"}),
        _not_retrieved,
    ),
    (frozenset({"ProfileNotFound"}), _no_profile),
    (
        frozenset({"Throttling", "ThrottlingException", "ThrottledException", "SlowDown",
                   "RequestThrottledException", "TooManyRequestsException", "RequestThrottled",
                   "RequestLimitExceeded", "BandwidthLimitExceeded", "PriorRequestNotComplete"}),
        _throttled,
    ),
    (
        frozenset({"EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError",
                   "ConnectionClosedError", "ConnectionError", "HTTPClientError", "SSLError",
                   "ProxyConnectionError", "ResponseStreamingError", "IncompleteReadError",
                   "UnknownEndpointError", "EndpointProviderError", "UnknownRegionError",
                   "InvalidRegionError", "RequestTimeout", "RequestTimeoutException"}),
        _unreachable,
    ),
    (frozenset({"ResponseParserError"}), _unreadable),
    (
        frozenset({"301", "PermanentRedirect", "AuthorizationHeaderMalformed",
                   "IllegalLocationConstraintException"}),
        _elsewhere,
    ),
    (frozenset({"NoSuchBucket"}), _no_bucket),
    (frozenset({"ConflictException", "OperationAborted", "ConditionalRequestConflict"}),
     _contended),
    (frozenset({"ResourceLimitExceeded", "LimitExceededException"}), _limited),
    (frozenset({"ParamValidationError"}), _our_request),
    (frozenset({"ModelError"}), _model),
)  # fmt: skip
"""Codes of services and names of botocore's exceptions → what they mean to a user."""
