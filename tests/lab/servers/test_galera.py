"""Galera as processes."""

from __future__ import annotations

import pytest

from tinyqq.lab.servers.galera import GaleraNode, cluster_url, start_together

pytestmark = [pytest.mark.slow, pytest.mark.needs("galera")]

Nodes = tuple[GaleraNode, ...]


def make_table(node: GaleraNode) -> None:
    """With a row: a node that is killed with nothing but the new table on its disk may not know
    that it has made it; then it would have to make it again, and could not."""
    node.ask("CREATE TABLE mysql.t (i INT PRIMARY KEY); INSERT INTO mysql.t VALUES (0)")


def test_cluster_when_started_then_all_are_synced_and_hold_the_same(galera: Nodes) -> None:
    assert [node.status("wsrep_cluster_size") for node in galera] == ["3", "3", "3"]
    galera[0].ask("CREATE DATABASE shared")
    assert [["shared"] in node.ask("SHOW DATABASES LIKE 'shared'") for node in galera] == [True] * 3
    assert cluster_url(galera, "shared").count("127.0.0.1:") == 3


def test_cluster_when_a_node_is_killed_then_others_go_on_and_it_comes_back(galera: Nodes) -> None:
    make_table(galera[0])
    galera[0].kill()
    galera[1].ask("INSERT INTO mysql.t VALUES (1)")
    galera[0].start()
    assert galera[0].ask("SELECT i FROM mysql.t") == [["0"], ["1"]]


def test_cluster_when_all_were_killed_then_it_starts_with_what_any_had(galera: Nodes) -> None:
    make_table(galera[0])
    assert galera[2].ask("SET wsrep_sync_wait = 1; SELECT i FROM mysql.t") == [["0"]]
    galera[2].kill()
    galera[1].ask("INSERT INTO mysql.t VALUES (1)")
    for node in galera:
        node.kill()
    assert galera[0].status("wsrep_ready") == ""
    start_together(galera)
    assert [node.ask("SELECT i FROM mysql.t") for node in galera] == [[["0"], ["1"]]] * 3
