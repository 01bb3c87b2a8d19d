"""How nodes know each other: a secret that the cluster shares, and certificates if wanted."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
import grpc.aio

_SECRET_KEY: Final = "tinyqq-secret-bin"
MIN_SECRET_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM texts for mTLS: both sides show a certificate that ``authority`` has signed. A node's
    certificate names the host of its internal address."""

    authority: bytes
    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a node shows its peers, and asks of them.

    Args:
        secret: the same on every node of the cluster, at least 16 bytes.
        certificates: None: the connection is not encrypted, for networks that are closed.
    """

    secret: bytes = field(repr=False)
    certificates: Certificates | None = None

    def __post_init__(self) -> None:
        if len(self.secret) < MIN_SECRET_BYTES:
            raise ValueError(f"the cluster's secret has less than {MIN_SECRET_BYTES} bytes")

    @property
    def metadata(self) -> tuple[tuple[str, bytes], ...]:
        """What every call carries."""
        return ((_SECRET_KEY, self.secret),)

    def for_channel(self) -> grpc.ChannelCredentials | None:
        """What a channel is opened with; None: plain TCP."""
        own = self.certificates
        if own is None:
            return None
        return grpc.ssl_channel_credentials(own.authority, own.key, own.certificate)

    def for_server(self) -> grpc.ServerCredentials | None:
        """What a port listens with; None: plain TCP."""
        own = self.certificates
        if own is None:
            return None
        return grpc.ssl_server_credentials(
            [(own.key, own.certificate)], own.authority, require_client_auth=True
        )


class Guard(grpc.aio.ServerInterceptor):
    """Lets nobody past who does not know the secret, whatever the method; not even that a method
    is unknown is told."""

    def __init__(self, secret: bytes) -> None:
        self.strangers = 0
        self._secret = secret
        self._refusal: grpc.RpcMethodHandler[Any, Any] = grpc.stream_stream_rpc_method_handler(
            self._refuse
        )

    async def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """The method's handler, or one that refuses without waiting for a message."""
        for key, value in handler_call_details.invocation_metadata:
            if key == _SECRET_KEY and hmac.compare_digest(_as_bytes(value), self._secret):
                return await continuation(handler_call_details)
        self.strangers += 1
        return self._refusal

    async def _refuse(self, _: object, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        await context.abort(grpc.StatusCode.UNAUTHENTICATED)


def _as_bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
