"""What an error of AWS means, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable

from pipelines.backends.aws.attempt import Attempt
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
_WITHOUT = "or look at the local SageMaker with --local"
_DOCTOR = "`pipelines doctor` checks all that is needed"


@frozen
class Said:
    """What came back: the service's code or botocore's exception, its message, the HTTP status."""

    code: str
    message: str
    status: int


def redact(text: str) -> str:
    """Take what may be a credential out of a message that we did not write."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def advise(said: Said, attempt: Attempt) -> tuple[str, str | None]:
    """Return the problem and the remedy."""
    if attempt.operation.startswith("head_"):
        said = Said(_OF_HEAD.get((attempt.operation, said.code), said.code), "", said.status)
    for codes, answer in _ANSWERS:
        if said.code in codes:
            return answer(said, attempt)
    if said.status >= 500:
        return _failing(said, attempt)
    if "assume" in said.message and "role" in said.message.lower():
        return _role(said, attempt)
    return f"{attempt.who} refused {_what(attempt)}: {_words(said)}", None


def _what(attempt: Attempt) -> str:
    return f"{attempt.action} on {attempt.resource}" if attempt.resource else attempt.action


def _words(said: Said) -> str:
    message = "a page of HTML" if said.message.lstrip().startswith("<") else said.message
    return f"{said.code}: {message}" if message else said.code or "no reason given"


def _denied(said: Said, attempt: Attempt) -> tuple[str, str]:
    action, resource = _ACTION.search(said.message), _RESOURCE.search(said.message)
    what = action[1] if action else attempt.action
    where = resource[1] if resource else attempt.resource
    who = _WHO.search(said.message)
    problem = f"AWS refused {what} on {where or '*'}" + (f" to {who[1]}" if who else "")
    if "explicit deny" in said.message:
        return problem, f"a policy denies {what} explicitly: ask who owns the account; {_DOCTOR}"
    if attempt.service == "s3" and not action:
        return problem, (
            f"allow {what} (and s3:ListBucket, without which a missing object looks forbidden), "
            f"or name a bucket of your own account in `aws.bucket`; {_DOCTOR}"
        )
    return problem, f"allow {what} on {where or '*'} to {'it' if who else 'your role'}; {_DOCTOR}"


def _no_credentials(_said: Said, attempt: Attempt) -> tuple[str, str]:
    return (
        "there are no AWS credentials",
        (
            f"log in ({_login(attempt)}), set AWS_PROFILE, or export AWS_ACCESS_KEY_ID and "
            f"AWS_SECRET_ACCESS_KEY; {_WITHOUT}"
        ),
    )


def _expired(_said: Said, attempt: Attempt) -> tuple[str, str]:
    return "the AWS credentials have expired", f"log in again: {_login(attempt)}; {_WITHOUT}"


def _invalid_credentials(said: Said, attempt: Attempt) -> tuple[str, str]:
    return (
        f"AWS does not accept the credentials ({said.code})",
        (
            "check which ones are in use (aws sts get-caller-identity), "
            f"log in: {_login(attempt)}; {_WITHOUT}"
        ),
    )


def _not_retrieved(said: Said, attempt: Attempt) -> tuple[str, str]:
    return (
        f"the AWS credentials could not be had ({said.code})",
        f"log in: {_login(attempt)}; {_WITHOUT}",
    )


def _no_profile(_said: Said, attempt: Attempt) -> tuple[str, str]:
    return (
        f"there is no AWS profile `{attempt.profile}`",
        f"`aws configure list-profiles` names those there are; {_WITHOUT}",
    )


def _login(attempt: Attempt) -> str:
    return "aws sso login" + (f" --profile {attempt.profile}" if attempt.profile else "")


def _throttled(_said: Said, attempt: Attempt) -> tuple[str, str]:
    return (
        f"AWS kept throttling {_what(attempt)}",
        "others use the account as well: try again in a minute; what was done stays done",
    )


def _failing(said: Said, attempt: Attempt) -> tuple[str, str]:
    return (
        f"AWS failed in {_what(attempt)}, several times ({said.status} {_words(said)})",
        "that is AWS's own trouble: try again later; what was done stays done",
    )


def _unreachable(said: Said, attempt: Attempt) -> tuple[str, str]:
    return (
        f"AWS was not reached for {_what(attempt)} in {attempt.region}: {said.message}",
        "check the network, the proxy and the spelling of the region; what was done stays done",
    )


def _unreadable(_said: Said, attempt: Attempt) -> tuple[str, str]:
    return (
        f"what came back for {_what(attempt)} was no answer of AWS's",
        (
            "a proxy may have answered instead, or AWS is in trouble: check the network, "
            "try again later; what was done stays done"
        ),
    )


def _elsewhere(_said: Said, attempt: Attempt) -> tuple[str, str]:
    bucket = attempt.request.get("Bucket", "")
    return (
        f"the bucket {bucket} lies in another region than {attempt.region}",
        (
            "SageMaker needs both in one region: name a bucket there in `aws.bucket`, "
            "or change `aws.region`"
        ),
    )


def _no_bucket(_said: Said, attempt: Attempt) -> tuple[str, str]:
    bucket = attempt.request.get("Bucket", "")
    return (
        f"there is no bucket {bucket}",
        f"make it: aws s3 mb s3://{bucket} --region {attempt.region}; or change `aws.bucket`",
    )


def _role(said: Said, attempt: Attempt) -> tuple[str, str]:
    return (
        f"SageMaker may not assume the role in {_what(attempt)}: {said.message}",
        (
            "the role of `aws.role` has to exist in this account and to trust "
            f"sagemaker.amazonaws.com (sts:AssumeRole); {_DOCTOR}"
        ),
    )


def _contended(said: Said, attempt: Attempt) -> tuple[str, str]:
    return (
        f"somebody else is changing the same thing: {_what(attempt)}: {said.message}",
        "run the command again: it reads anew what is there",
    )


def _limited(said: Said, attempt: Attempt) -> tuple[str, str]:
    return (
        f"a limit of the account stands against {_what(attempt)}: {said.message}",
        "ask for more in Service Quotas, or remove what is no longer used",
    )


def _our_request(said: Said, attempt: Attempt) -> tuple[str, None]:
    return f"{_what(attempt)} cannot be asked for: {said.message}", None


def _model(said: Said, _attempt: Attempt) -> tuple[str, None]:
    """The container's own answer: nobody else has refused anything."""
    return f"the model did not answer: {said.message}", None


_OF_HEAD = {
    ("head_bucket", "404"): "NoSuchBucket",
    ("head_bucket", "400"): "InvalidToken",
    ("head_object", "400"): "InvalidToken",
}
"""What a bare status stands for: the response to HEAD has no body that could say it."""

_Answer = Callable[[Said, Attempt], tuple[str, str | None]]

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
