"""The certificate of a node: a given one, or one that it signs itself for a LAN."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import os
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tinyqq.app.settings import ClusterSettings, TlsSettings

_LIFETIME: Final = datetime.timedelta(days=825)
"""The longest that Apple's clients believe."""
_RENEW_BEFORE: Final = datetime.timedelta(days=30)


class TlsError(Exception):
    """The certificate cannot be used. The text is for people."""


@dataclass(frozen=True, slots=True)
class Tls:
    """What listening needs, and what people compare: the certificate's SHA-256."""

    context: ssl.SSLContext
    fingerprint: str


def load_tls(
    settings: TlsSettings, data_dir: Path, *, addresses: Sequence[str], now: datetime.datetime
) -> Tls | None:
    """The TLS of a node; None when it speaks plainly.

    Args:
        addresses: of this machine; a self-signed certificate is good for them and for localhost.
        now: with its time zone.

    Raises:
        TlsError: a file is missing, or holds no usable certificate or key.
    """
    if not settings.is_on:
        return None
    if settings.cert_file is not None and settings.key_file is not None:
        return _load(settings.cert_file, settings.key_file)
    cert_file, key_file = data_dir / "tls-cert.pem", data_dir / "tls-key.pem"
    if not _is_usable(cert_file, key_file, now):
        _make_self_signed(cert_file, key_file, addresses=addresses, now=now)
    return _load(cert_file, key_file)


def load_node_tls(settings: ClusterSettings) -> tuple[bytes, bytes, bytes] | None:
    """PEM texts by which nodes know each other: authority, certificate, key; None: not in use.

    Raises:
        TlsError: a file is missing, or they do not fit together.
    """
    files = settings.authority_file, settings.cert_file, settings.key_file
    authority_file, cert_file, key_file = files
    if authority_file is None or cert_file is None or key_file is None:
        return None
    _load(cert_file, key_file)  # gRPC would not say what is wrong with them
    try:
        ssl.create_default_context(cafile=authority_file)
        return authority_file.read_bytes(), cert_file.read_bytes(), key_file.read_bytes()
    except OSError as exc:  # ssl.SSLError is one
        raise TlsError(f"{authority_file}: {exc}") from exc


def fingerprint_of(cert_pem: str) -> str:
    """SHA-256 of the first certificate of a PEM text, ``AB:CD:…``."""
    end = "-----END CERTIFICATE-----"
    first = cert_pem[cert_pem.index("-----BEGIN CERTIFICATE-----") : cert_pem.index(end)] + end
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest().upper()
    return ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))


def _load(cert_file: Path, key_file: Path) -> Tls:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert_file, key_file, password=_refuse_password)
        return Tls(context, fingerprint_of(cert_file.read_text(encoding="ascii")))
    except (OSError, ValueError) as exc:  # ssl.SSLError is an OSError
        raise TlsError(f"{cert_file} with {key_file}: {exc}") from exc


def _refuse_password() -> str:
    raise ValueError("the key is encrypted; TinyQQ needs it without a password")


def _is_usable(cert_file: Path, key_file: Path, now: datetime.datetime) -> bool:
    if not (cert_file.is_file() and key_file.is_file()):
        return False
    try:
        certificate = x509.load_pem_x509_certificate(cert_file.read_bytes())
    except ValueError:
        return False
    return certificate.not_valid_after_utc - _RENEW_BEFORE > now


def _make_self_signed(
    cert_file: Path, key_file: Path, *, addresses: Sequence[str], now: datetime.datetime
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TinyQQ")])
    names: list[x509.GeneralName] = [
        x509.DNSName(host) for host in dict.fromkeys(("localhost", socket.gethostname()))
    ]
    names += [
        x509.IPAddress(ipaddress.ip_address(address))
        for address in dict.fromkeys(("127.0.0.1", "::1", *addresses))
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(key_file, _key_pem(key), mode=0o600)
    _write(cert_file, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, content: bytes, *, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # so that the mode is ours from the first byte on
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
