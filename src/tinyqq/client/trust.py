"""Which server certificates a client believes."""

from __future__ import annotations

import hashlib
import hmac
import ssl
from dataclasses import dataclass

import aiohttp

from tinyqq.errors import ErrorCode, InvalidRequest, Unavailable


@dataclass(frozen=True, slots=True)
class Trust:
    """How the certificate of a TLS connection is checked.

    By default the system's authorities decide. ``ca_file``: a PEM file of an own authority, instead
    of those. ``fingerprint``: the SHA-256 of the one certificate that is accepted, in hex (colons
    allowed): for a self-signed certificate on a LAN; names and dates are then not looked at.
    """

    ca_file: str = ""
    fingerprint: str = ""

    @property
    def digest(self) -> bytes:
        """The fingerprint's 32 bytes; empty without one.

        Raises:
            InvalidRequest: it is no SHA-256.
        """
        if not self.fingerprint:
            return b""
        try:
            digest = bytes.fromhex(self.fingerprint.replace(":", ""))
        except ValueError:
            digest = b""
        if len(digest) != hashlib.sha256().digest_size:
            raise InvalidRequest(ErrorCode.INVALID_REQUEST, field="fingerprint")
        return digest

    def context(self) -> ssl.SSLContext:
        """For connecting.

        Raises:
            InvalidRequest: the file holds no authority.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
        except (OSError, ssl.SSLError) as exc:
            raise InvalidRequest(ErrorCode.INVALID_REQUEST, field="ca_file") from exc
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.digest:
            # The pinned certificate is compared byte for byte after the handshake.
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def for_http(self) -> ssl.SSLContext | aiohttp.Fingerprint:
        """What aiohttp takes as ``ssl``; raises as :attr:`digest` and :meth:`context`."""
        return aiohttp.Fingerprint(self.digest) if self.digest else self.context()

    def check(self, certificate: bytes | None) -> None:
        """Compare the server's certificate (DER) with the pinned one, if there is one.

        Raises:
            Unavailable: it is another one.
        """
        digest = self.digest
        if digest and not hmac.compare_digest(hashlib.sha256(certificate or b"").digest(), digest):
            raise Unavailable(
                ErrorCode.CONNECTION_LOST,
                reason="another certificate than the pinned one",
                fingerprint=hashlib.sha256(certificate or b"").hexdigest(),
            )
