"""The tree of settings itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from tinyqq.app.settings import (
    AccountSettings,
    ClusterSettings,
    LimitSettings,
    ListenSettings,
    Settings,
    TlsSettings,
)
from tinyqq.model.connection import Limits


def test_defaults_when_nothing_is_set_then_loopback_and_the_fixed_ports() -> None:
    listen = Settings().listen
    assert (listen.host, listen.tcp_port, listen.http_port) == ("127.0.0.1", 7001, 7080)


def test_settings_when_changed_then_refused() -> None:
    settings = Settings()
    with pytest.raises(ValidationError):
        settings.data_dir = Path("elsewhere")
    with pytest.raises(ValidationError):
        settings.listen.tcp_port = 1


def test_settings_when_the_environment_is_set_then_it_is_left_to_the_loader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TINYQQ_LISTEN__TCP_PORT", "9")
    assert Settings().listen.tcp_port == 7001


def test_to_limits_when_default_then_those_of_the_protocol() -> None:
    assert LimitSettings().to_limits() == Limits()


def test_database_when_not_set_then_a_file_in_the_data_folder() -> None:
    assert Settings(data_dir=Path("/srv/qq")).database == "sqlite:////srv/qq/tinyqq.db"
    assert Settings(database_url="sqlite:///x.db").database == "sqlite:///x.db"


@pytest.mark.parametrize(
    ("registry", "presence"),
    [
        ("memory", "memory"),
        ("zookeeper://zk1,zk2:2182/chat", "redis://:secret@redis/1?prefix=chat"),
        ("zookeeper://me:secret@zk", "redis+sentinel://a,b/im"),
        ("zookeeper://zk", "redis+cluster://a,b"),
    ],
)
def test_registry_and_presence_when_right_then_kept(registry: str, presence: str) -> None:
    cluster = ClusterSettings(secret=SecretStr("sixteen bytes or more"))
    settings = Settings(registry=registry, presence=presence, cluster=cluster)
    assert (settings.registry, settings.presence) == (registry, presence)


@pytest.mark.parametrize(
    "wrong", [{"registry": "etcd://secret@a"}, {"presence": "redis://:secret@a/x"}]
)
def test_registry_and_presence_when_wrong_then_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="must be memory or an address of"):
        Settings(**wrong)  # type: ignore[arg-type]  # only text, which two of the fields take


def test_tls_when_only_one_of_certificate_and_key_then_refused() -> None:
    with pytest.raises(ValidationError, match="go together"):
        TlsSettings(cert_file=Path("cert.pem"))


def test_tls_when_self_signed_and_a_certificate_then_refused() -> None:
    with pytest.raises(ValidationError, match="choose one"):
        TlsSettings(self_signed=True, cert_file=Path("c"), key_file=Path("k"))


@pytest.mark.parametrize(
    ("tls", "is_on"),
    [
        (TlsSettings(), False),
        (TlsSettings(self_signed=True), True),
        (TlsSettings(cert_file=Path("c"), key_file=Path("k")), True),
    ],
)
def test_tls_is_on_when_there_is_a_certificate(tls: TlsSettings, is_on: bool) -> None:
    assert tls.is_on is is_on


def test_registration_when_by_invitation_without_a_code_then_refused() -> None:
    with pytest.raises(ValidationError, match="invite_code"):
        AccountSettings(registration="invite")


CLUSTER = {"registry": "zookeeper://127.0.0.1/x", "cluster": {"secret": "sixteen bytes or more"}}


def test_roles_when_written_in_one_text_then_read_as_several() -> None:
    assert Settings.model_validate({"roles": "user, chat", **CLUSTER}).roles == ("user", "chat")


@pytest.mark.parametrize(
    "wrong",
    [{"roles": ["user"]}, {"roles": [], **CLUSTER}, {"roles": ["cook"], **CLUSTER}],
    ids=["nobody else has the others", "none", "no such role"],
)
def test_roles_when_they_make_no_node_then_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="roles"):
        Settings.model_validate(wrong)


@pytest.mark.parametrize(
    ("field", "url"), [("public_tcp", "http://chat.example"), ("public_http", "chat.example")]
)
def test_public_url_when_of_another_scheme_then_refused(field: str, url: str) -> None:
    with pytest.raises(ValidationError, match="must be"):
        ListenSettings.model_validate({field: url})


def test_public_url_when_right_then_kept() -> None:
    listen = ListenSettings(public_tcp="tinyqqs://chat.example", public_http="http://h:80/")
    assert (listen.public_tcp, listen.public_http) == ("tinyqqs://chat.example", "http://h:80")
