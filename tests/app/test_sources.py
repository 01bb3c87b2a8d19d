"""Where values come from, and what is said about keys and values that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyqq.app.settings import Settings
from tinyqq.app.sources import (
    SettingsError,
    list_settings,
    load_settings,
    shown_database,
    shown_values,
)


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str, name: str = "tinyqq.toml") -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


def problem(**flags: object) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(flags=flags)
    return str(caught.value)


def test_load_when_nothing_is_set_then_defaults() -> None:
    loaded = load_settings()
    assert loaded.settings == Settings()
    assert set(loaded.origins.values()) == {"default"}
    assert loaded.is_default("listen.tcp_port")


def test_load_when_set_everywhere_then_flag_beats_environment_beats_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write("[listen]\nhost = '10.0.0.1'\ntcp_port = 1\nhttp_port = 2\n")
    monkeypatch.setenv("TINYQQ_LISTEN__TCP_PORT", "3")
    monkeypatch.setenv("TINYQQ_LISTEN__HTTP_PORT", "4")
    loaded = load_settings(flags={"listen.http_port": 5, "listen.host": None})
    listen = loaded.settings.listen
    assert (listen.host, listen.tcp_port, listen.http_port) == ("10.0.0.1", 3, 5)
    assert loaded.origins["listen.host"] == "file tinyqq.toml"
    assert loaded.origins["listen.tcp_port"] == "environment TINYQQ_LISTEN__TCP_PORT"
    assert loaded.origins["listen.http_port"] == "flag"
    assert loaded.origins["data_dir"] == "default"


def test_load_when_a_file_is_named_then_the_default_one_is_not_read() -> None:
    write("data_dir = 'a'\n")
    other = write("data_dir = 'b'\n", "other.toml")
    assert load_settings(config=other).settings.data_dir == Path("b")


def test_load_when_a_named_file_is_missing_then_an_error_names_it() -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml: there is no such file"):
        load_settings(config=Path("nowhere.toml"))


def test_load_when_the_file_is_not_toml_then_an_error_names_it() -> None:
    write("data_dir = [\n")
    assert problem().startswith("tinyqq.toml: ")


def test_load_when_a_key_in_the_file_is_unknown_then_the_nearest_is_named() -> None:
    write("[listen]\ntcp_prot = 1\n[lmits]\nmax_text_chars = 5\n")
    assert problem().splitlines() == [
        "tinyqq.toml: unknown setting 'listen.tcp_prot'; the nearest known one is "
        "'listen.tcp_port'",
        "tinyqq.toml: unknown setting 'lmits.max_text_chars'; the nearest known one is "
        "'limits.max_text_chars'",
    ]


def test_load_when_a_variable_is_unknown_then_the_nearest_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TINYQQ_DATADIR", "x")
    assert "'TINYQQ_DATADIR'; the nearest known one is 'TINYQQ_DATA_DIR'" in problem()


def test_load_when_a_flag_is_unknown_then_the_nearest_is_named() -> None:
    text = problem(**{"limits.text_chars": "5"})
    assert text.startswith("command line: unknown setting 'limits.text_chars'; the nearest")


def test_load_when_variables_of_the_commands_are_set_then_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TINYQQ_LANG", "zh")
    assert load_settings().settings == Settings()


def test_load_when_a_value_is_wrong_then_its_place_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TINYQQ_LISTEN__TCP_PORT", "seven")
    text = problem()
    assert text.startswith("listen.tcp_port (environment TINYQQ_LISTEN__TCP_PORT): ")
    assert "Settings" not in text


def test_load_when_a_table_stands_in_place_of_a_value_then_an_error_names_it() -> None:
    write("[data_dir]\nx = 1\n")
    assert "data_dir.x" in problem()


def test_load_when_settings_contradict_each_other_then_the_rule_is_told() -> None:
    assert "needs accounts.invite_code" in problem(**{"accounts.registration": "invite"})


def test_load_when_a_list_is_in_one_variable_then_commas_divide_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TINYQQ_LISTEN__TRUSTED_PROXIES", "10.0.0.0/8, ::1")
    networks = load_settings().settings.listen.trusted_proxies
    assert [str(one) for one in networks] == ["10.0.0.0/8", "::1/128"]


def test_list_settings_when_asked_then_each_is_described_and_named() -> None:
    found = list_settings()
    assert all(one.description and one.type_name for one in found)
    variables = {one.path: one.variable for one in found}
    assert variables["limits.idle_timeout_s"] == "TINYQQ_LIMITS__IDLE_TIMEOUT_S"


def test_shown_values_when_there_are_secrets_then_they_are_masked() -> None:
    flags = {
        "accounts.registration": "invite",
        "accounts.invite_code": "open-sesame",
        "database_url": "sqlite://me:pass@host/x",
    }
    shown = shown_values(load_settings(flags=flags).settings)
    assert shown["accounts.invite_code"] == '"***"'
    assert shown["database_url"] == '"sqlite://me:***@host/x"'
    assert shown["tls.cert_file"] == "unset"
    assert shown["helper.enabled"] == "true"
    assert shown["accounts.registration"] == '"invite"'


def test_database_when_shown_then_without_a_password() -> None:
    flags = {"database_url": "mysql+asyncmy://qq:hush@db1,db2/tinyqq"}
    settings = load_settings(flags=flags).settings
    assert shown_database(settings) == "mysql+asyncmy://qq:***@db1,db2/tinyqq"
    assert "hush" not in str(shown_values(settings))
    assert shown_database(load_settings().settings) == "sqlite:///data/tinyqq.db"
