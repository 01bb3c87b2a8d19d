"""Certificates: given, self-signed, renewed, unusable."""

from __future__ import annotations

import datetime
import hashlib
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from tests.support.certificates import Authority

from tinyqq.app.settings import ClusterSettings, TlsSettings
from tinyqq.app.tls import Tls, TlsError, load_node_tls, load_tls

NOW = datetime.datetime.now(datetime.UTC)
SELF_SIGNED = TlsSettings(self_signed=True)


def load(
    data_dir: Path, settings: TlsSettings = SELF_SIGNED, now: datetime.datetime = NOW
) -> Tls | None:
    return load_tls(settings, data_dir, addresses=["192.168.7.7"], now=now)


def test_load_when_tls_is_off_then_none(tmp_path: Path) -> None:
    assert load(tmp_path, TlsSettings()) is None
    assert list(tmp_path.iterdir()) == []


def test_load_when_self_signed_then_a_client_that_trusts_it_gets_through(tmp_path: Path) -> None:
    tls = load(tmp_path)
    assert tls is not None
    client = ssl.create_default_context(cafile=tmp_path / "tls-cert.pem")
    for host in ("localhost", "127.0.0.1", "192.168.7.7"):
        shake_hands(tls.context, client, host)


def test_load_when_self_signed_then_the_fingerprint_is_the_certificates(tmp_path: Path) -> None:
    tls = load(tmp_path)
    assert tls is not None
    der = ssl.PEM_cert_to_DER_cert((tmp_path / "tls-cert.pem").read_text("ascii"))
    assert tls.fingerprint.replace(":", "").lower() == hashlib.sha256(der).hexdigest()


def test_load_when_self_signed_then_the_key_is_for_the_owner_alone(tmp_path: Path) -> None:
    load(tmp_path)
    assert stat.S_IMODE((tmp_path / "tls-key.pem").stat().st_mode) == 0o600


def test_load_when_self_signed_before_then_the_same_certificate(tmp_path: Path) -> None:
    first, second = load(tmp_path), load(tmp_path)
    assert first is not None
    assert second is not None
    assert first.fingerprint == second.fingerprint


@pytest.mark.parametrize("days", [796, 900])
def test_load_when_the_certificate_is_about_to_expire_then_a_new_one(
    tmp_path: Path, days: int
) -> None:
    load(tmp_path)
    first = (tmp_path / "tls-cert.pem").read_bytes()
    load(tmp_path, now=NOW + datetime.timedelta(days=days))
    assert (tmp_path / "tls-cert.pem").read_bytes() != first


def test_load_when_the_certificate_is_damaged_then_a_new_one(tmp_path: Path) -> None:
    load(tmp_path)
    (tmp_path / "tls-cert.pem").write_text("rubbish", encoding="ascii")
    assert load(tmp_path) is not None


def test_load_when_a_certificate_is_given_then_that_one(tmp_path: Path) -> None:
    made = load(tmp_path)
    given = TlsSettings(cert_file=tmp_path / "tls-cert.pem", key_file=tmp_path / "tls-key.pem")
    loaded = load(tmp_path / "elsewhere", given)
    assert made is not None
    assert loaded is not None
    assert loaded.fingerprint == made.fingerprint


def test_load_when_a_given_file_is_missing_then_an_error_names_it(tmp_path: Path) -> None:
    given = TlsSettings(cert_file=tmp_path / "no.pem", key_file=tmp_path / "no.key")
    with pytest.raises(TlsError, match=r"no\.pem"):
        load(tmp_path, given)


def test_load_when_the_key_is_encrypted_then_an_error_says_so(tmp_path: Path) -> None:
    load(tmp_path)
    key_file = tmp_path / "tls-key.pem"
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    given = TlsSettings(cert_file=tmp_path / "tls-cert.pem", key_file=key_file)
    with pytest.raises(TlsError, match="encrypted"):
        load(tmp_path, given)


def test_load_when_self_signed_then_it_is_no_authority(tmp_path: Path) -> None:
    load(tmp_path)
    certificate = x509.load_pem_x509_certificate((tmp_path / "tls-cert.pem").read_bytes())
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> None:
    """A whole handshake in memory; raises what either side finds wrong."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(down, up, server_hostname=host),
        server.wrap_bio(up, down, server_side=True),
    ]
    for _ in range(10):
        for side in list(sides):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            sides.remove(side)
        if not sides:
            return
    pytest.fail("no handshake")


def test_load_node_tls_when_not_named_then_none() -> None:
    assert load_node_tls(ClusterSettings()) is None


def test_load_node_tls_when_named_then_the_texts(tmp_path: Path) -> None:
    files = Authority(tmp_path / "ca.pem").issue("node")
    names = ("authority_file", "cert_file", "key_file")
    expected = tuple(files[name].read_bytes() for name in names)
    assert load_node_tls(ClusterSettings.model_validate(files)) == expected


@pytest.mark.parametrize("name", ["authority_file", "cert_file", "key_file"])
def test_load_node_tls_when_a_file_is_of_no_use_then_told_which(tmp_path: Path, name: str) -> None:
    files = Authority(tmp_path / "ca.pem").issue("node")
    wrong = tmp_path / "wrong.pem"
    for content in (None, "nonsense"):
        if content is not None:
            wrong.write_text(content)
        with pytest.raises(TlsError, match=r"wrong\.pem"):
            load_node_tls(ClusterSettings.model_validate({**files, name: wrong}))
