"""Which certificates a client believes."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import pytest

from tinyqq.client.trust import Trust
from tinyqq.errors import InvalidRequest, Unavailable

DIGEST = hashlib.sha256(b"certificate").hexdigest()


def test_context_when_nothing_is_said_then_the_system_decides() -> None:
    context = Trust().context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_context_when_pinned_then_the_fingerprint_decides() -> None:
    context = Trust(fingerprint=DIGEST).context()
    assert context.verify_mode is ssl.CERT_NONE


def test_context_when_the_file_is_missing_then_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest):
        Trust(ca_file=str(tmp_path / "none.pem")).context()


def test_context_when_the_file_holds_nothing_then_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("nothing")
    with pytest.raises(InvalidRequest):
        Trust(ca_file=str(tmp_path / "bad.pem")).context()


@pytest.mark.parametrize(
    "fingerprint", [DIGEST, DIGEST.upper(), ":".join([DIGEST[:32], DIGEST[32:]])]
)
def test_check_when_it_is_the_pinned_one_then_fine(fingerprint: str) -> None:
    Trust(fingerprint=fingerprint).check(b"certificate")


@pytest.mark.parametrize("certificate", [b"another", None])
def test_check_when_it_is_another_then_refused(certificate: bytes | None) -> None:
    with pytest.raises(Unavailable):
        Trust(fingerprint=DIGEST).check(certificate)


def test_check_when_not_pinned_then_fine() -> None:
    Trust().check(None)


@pytest.mark.parametrize("fingerprint", ["abcd", "xyz"])
def test_digest_when_no_sha256_then_refused(fingerprint: str) -> None:
    with pytest.raises(InvalidRequest):
        Trust(fingerprint=fingerprint).context()
