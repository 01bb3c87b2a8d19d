"""The configuration as text. That nginx takes it: tests/e2e/test_nginx.py."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tinyqq.app.nginx import Front, NginxError, find_stream_module, make_config
from tinyqq.model.ids import UnitId
from tinyqq.ports.registry import Node

ONE = Node(
    UnitId("one"), "1", frozenset({"proxy", "chat"}), "tinyqq://front:7000", "http://front:80", "1",
    internal="10.0.0.1:7101", listen_tcp="tinyqq://0.0.0.0:7001", listen_http="http://0.0.0.0:7080",
)  # fmt: skip
TWO = replace(
    ONE,
    unit_id=UnitId("two"),
    internal="[fd00::2]:7101",
    listen_tcp="tinyqq://[::]:7001",
    listen_http="http://unit2.example:7080",
)
SECURE = replace(ONE, listen_tcp="tinyqqs://10.0.0.1:7001", listen_http="https://10.0.0.1:7080")
FRONT = Front(tcp="7000", http="0.0.0.0:8080")
CERTIFIED = replace(FRONT, cert_file=Path("/tls/cert.pem"), key_file=Path("/tls/key.pem"))


def lines(nodes: list[Node], front: Front = FRONT) -> list[str]:
    """The file's lines, without their indentation."""
    return [line.strip() for line in make_config(nodes, front).splitlines()]


def servers(nodes: list[Node], front: Front = FRONT) -> list[str]:
    """Where nginx sends clients."""
    return [line.split()[1] for line in lines(nodes, front) if line.startswith("server ") and
            "{" not in line]  # fmt: skip


def test_servers_when_units_listen_everywhere_then_at_their_own_hosts() -> None:
    assert servers([TWO, ONE]) == [
        "10.0.0.1:7001",
        "[fd00::2]:7001",
        "10.0.0.1:7080",
        "unit2.example:7080",
    ]


def test_servers_when_a_node_drains_or_takes_no_clients_then_left_out() -> None:
    draining = replace(TWO, draining=True)
    worker = replace(TWO, unit_id=UnitId("w"), roles=frozenset({"user"}))
    assert servers([ONE, draining, worker]) == ["10.0.0.1:7001", "10.0.0.1:7080"]


@pytest.mark.parametrize(
    "wrong",
    [
        replace(TWO, internal=""),
        replace(TWO, internal="0.0.0.0:1"),
        replace(TWO, listen_tcp=""),
        replace(TWO, listen_tcp="tinyqq://host"),
        replace(TWO, listen_tcp="tinyqq://a;b:1"),
    ],
)
def test_servers_when_an_address_is_of_no_use_then_that_unit_is_left_out(wrong: Node) -> None:
    assert servers([ONE, wrong], Front(tcp="7000")) == ["10.0.0.1:7001"]
    with pytest.raises(NginxError, match="none of 1 units"):
        make_config([wrong], Front(tcp="7000"))


@pytest.mark.parametrize("nodes", [[], [replace(ONE, draining=True)]])
def test_config_when_no_unit_takes_clients_then_there_is_none(nodes: list[Node]) -> None:
    with pytest.raises(NginxError, match="no unit"):
        make_config(nodes, FRONT)


def test_config_when_only_loads_differ_then_the_same() -> None:
    busy = replace(ONE, load=0.5, sessions=7)
    assert make_config([busy, TWO], FRONT) == make_config([TWO, ONE], FRONT)


def test_config_when_plain_then_the_clients_address_is_told_on_both_ports() -> None:
    made = lines([ONE])
    assert "listen 7000;" in made
    assert "listen 0.0.0.0:8080;" in made
    assert "proxy_protocol on;" in made
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in made
    assert "proxy_set_header X-Forwarded-Proto $scheme;" in made
    assert made.count("least_conn;") == 2
    assert "proxy_pass http://tinyqq_http;" in made
    assert not [line for line in made if "ssl" in line or "load_module" in line]


@pytest.mark.parametrize(
    ("front", "wanted", "unwanted"),
    [
        (Front(tcp="7000"), "stream {", "http {"),
        (Front(http="8080"), "http {", "stream {"),
    ],
)
def test_config_when_one_port_is_wanted_then_that_alone(
    front: Front, wanted: str, unwanted: str
) -> None:
    made = lines([ONE], front)
    assert wanted in made
    assert unwanted not in made


def test_config_when_times_are_given_then_nginx_waits_longer_than_the_units() -> None:
    made = lines([ONE], replace(FRONT, idle_timeout_s=10, shutdown_timeout_s=60))
    assert "worker_shutdown_timeout 60s;" in made
    assert "proxy_timeout 40s;" in made
    assert "proxy_read_timeout 40s;" in made


def test_config_when_nginx_is_not_the_systems_then_everything_is_in_its_home() -> None:
    home = Path('/srv/my "nginx"')
    made = lines([ONE], replace(FRONT, home=home, stream_module=Path("/lib/stream.so")))
    assert 'load_module "/lib/stream.so";' in made
    assert 'pid "/srv/my \\"nginx\\"/nginx.pid";' in made
    assert 'proxy_temp_path "/srv/my \\"nginx\\"/proxy";' in made


def test_config_when_there_is_no_tcp_then_no_module() -> None:
    front = replace(FRONT, tcp="", stream_module=Path("/lib/stream.so"))
    assert not [line for line in lines([ONE], front) if "load_module" in line]


def test_tls_when_nginx_has_a_certificate_then_it_ends_there() -> None:
    made = lines([ONE], CERTIFIED)
    assert "listen 7000 ssl;" in made
    assert "listen 0.0.0.0:8080 ssl;" in made
    assert made.count('ssl_certificate_key "/tls/key.pem";') == 2
    assert "proxy_ssl on;" not in made
    assert "proxy_pass http://tinyqq_http;" in made


def test_tls_when_the_units_speak_it_too_then_on_the_inside_as_well() -> None:
    made = lines([SECURE], CERTIFIED)
    assert "proxy_ssl on;" in made
    assert "proxy_pass https://tinyqq_http;" in made


def test_tls_when_only_the_units_speak_it_then_tcp_is_passed_on_and_http_is_not() -> None:
    made = lines([SECURE], Front(tcp="7000"))
    assert "listen 7000;" in made
    assert "proxy_ssl on;" not in made
    with pytest.raises(NginxError, match="certificate"):
        make_config([SECURE], FRONT)


def test_tls_when_only_some_units_speak_it_then_there_is_no_configuration() -> None:
    with pytest.raises(NginxError, match="some units"):
        make_config([TWO, SECURE], CERTIFIED)


def test_find_stream_module_when_found_then_a_file() -> None:
    found = find_stream_module()
    assert found is None or found.is_file()


def test_config_when_files_are_sent_up_then_passed_on_as_they_come() -> None:
    made = lines([ONE])
    place = made.index("location /v1/uploads {")
    assert made[place + 1 : place + 4] == [
        "client_max_body_size 0;",
        "proxy_request_buffering off;",
        "proxy_pass http://tinyqq_http;",
    ]
