"""An account whose answers are given beforehand, held against botocore's models by its Stubber."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import botocore.session
from botocore.stub import Stubber

from pipelines.backends.aws.gateway import Gateway, GatewaySettings

ACCOUNT = "111122223333"
REGION = "us-east-1"


class StubbedAccount:
    """A gateway whose clients answer what a test gives them, in order, and nothing else."""

    def __init__(self) -> None:
        self._stubbers: dict[str, Stubber] = {}
        self._clients: dict[str, Any] = {}
        self.calls: list[str] = []
        self.gateway = Gateway(self, GatewaySettings(REGION), {})

    def create_client(self, service: str, **_options: Any) -> Any:
        """Return the client of a service, as botocore's session does."""
        self._stubber(service)
        return self._clients[service]

    def get_partition_for_region(self, _region: str) -> str:
        """Return the partition, as botocore's session does."""
        return "aws"

    def answers(
        self,
        service: str,
        operation: str,
        answer: Mapping[str, Any] | None = None,
        expected: Mapping[str, Any] | None = None,
    ) -> None:
        """Answer the next call of a service; it fails where another one comes."""
        params = None if expected is None else dict(expected)
        self._stubber(service).add_response(operation, dict(answer or {}), params)

    def refuses(
        self, service: str, operation: str, code: str, message: str = "", status: int = 400
    ) -> None:
        """Refuse the next call of a service."""
        self._stubber(service).add_client_error(operation, code, message, status)

    def on_request(
        self, service: str, operation: str, told: Callable[[dict[str, Any]], None]
    ) -> None:
        """Tell of the parameters of an operation's calls."""
        self._stubber(service)
        self._clients[service].meta.events.register(
            f"provide-client-params.{service}.{operation}", lambda params, **_: told(dict(params))
        )

    def require_all_called(self) -> None:
        """Fail where an answer is left over."""
        for stubber in self._stubbers.values():
            stubber.assert_no_pending_responses()

    def _stubber(self, service: str) -> Stubber:
        if service not in self._stubbers:
            client = botocore.session.Session().create_client(
                service,
                region_name=REGION,
                aws_access_key_id="testing",
                aws_secret_access_key="testing",
            )
            client.meta.events.register(
                "before-parameter-build.*", lambda model, **_: self.calls.append(model.name)
            )
            self._clients[service] = client
            self._stubbers[service] = Stubber(client)
            self._stubbers[service].activate()
        return self._stubbers[service]
