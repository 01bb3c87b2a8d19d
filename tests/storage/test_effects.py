"""Snapshot and events agree: what a lane keeps in memory is what a fresh load reads."""

from __future__ import annotations

from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select
from tests.support.logs import (
    ANN,
    ANN_BOB,
    BOB,
    EVE,
    GROUP,
    entry,
    in_group,
    put_group,
    put_member,
)
from tests.support.storage_rows import store_entries

from tinyqq.model.conversation import (
    STILL_IN,
    ConversationState,
    DropJoinRequest,
    Effect,
    EraseEntry,
    PutGroup,
    PutJoinRequest,
    PutMember,
    PutRelation,
)
from tinyqq.model.group import JoinPolicy, Role
from tinyqq.model.ids import ConversationId, Seq
from tinyqq.model.message import Kind
from tinyqq.storage.effects import write_effects
from tinyqq.storage.log_writer import load_states
from tinyqq.storage.schema import message

_fresh = count(30_000)

users = st.sampled_from([ANN, BOB, EVE])
times = st.integers(0, 2**53)
texts = st.text(max_size=5)
group_effects = st.one_of(
    st.builds(
        PutMember,
        user_id=users,
        # One interval per user here: a lane never opens a second one beside an open one.
        since_seq=st.just(Seq(1)),
        until_seq=st.sampled_from([STILL_IN, Seq(5)]),
        role=st.sampled_from(Role),
        card=texts,
        joined_at_ms=times,
    ),
    st.builds(
        PutGroup,
        name=texts,
        join_policy=st.sampled_from(JoinPolicy),
        announcement=texts,
        member_limit=st.integers(1, 5_000),
        created_at_ms=times,
        dismissed_seq=st.integers(0, 9).map(Seq),
    ),
    st.builds(PutJoinRequest, user_id=users, requested_at_ms=times, note=texts, invited_by=users),
    st.builds(DropJoinRequest, user_id=users),
)
relation_effects = st.builds(
    PutRelation,
    user_id=st.sampled_from([ANN, BOB]),
    is_friend=st.booleans(),
    is_blocked=st.booleans(),
    requested_at_ms=times,
    note=texts,
)


def loaded(conn: Connection, key: ConversationId) -> ConversationState:
    """A fresh read."""
    return load_states(conn, [key])[key]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(effects=st.lists(group_effects, max_size=12))
def test_group_when_effects_were_written_then_a_load_reads_what_memory_has(
    conn: Connection, effects: list[Effect]
) -> None:
    key = ConversationId(next(_fresh))
    memory = ConversationState(key)
    memory.apply(tuple(effects))
    write_effects(conn, [], [(key, effect) for effect in effects])
    assert loaded(conn, key) == memory


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(effects=st.lists(relation_effects, max_size=6))
def test_relations_when_effects_were_written_then_a_load_reads_what_memory_has(
    conn: Connection, effects: list[Effect]
) -> None:
    savepoint = conn.begin_nested()
    memory = ConversationState(ANN_BOB)
    memory.apply(tuple(effects))
    write_effects(conn, [], [(ANN_BOB, effect) for effect in effects])
    assert loaded(conn, ANN_BOB) == memory
    savepoint.rollback()


def test_members_seq_when_several_groups_changed_then_each_has_its_last(conn: Connection) -> None:
    other = ConversationId(20_002)
    entries = [
        entry(1, GROUP, kind=Kind.GROUP_CREATED),
        entry(2, GROUP, kind=Kind.MEMBER_JOINED),
        entry(3, GROUP, kind=Kind.ROLE_CHANGED),
        entry(1, other, kind=Kind.GROUP_CREATED),
    ]
    effects = [*in_group(put_group(), put_member(ANN)), (other, put_group())]
    write_effects(conn, entries, effects)
    assert (loaded(conn, GROUP).members_seq, loaded(conn, other).members_seq) == (2, 1)


def test_erase_when_done_then_only_that_row(conn: Connection) -> None:
    store_entries(conn, [entry(1), entry(2)])
    write_effects(conn, [], [(ANN_BOB, EraseEntry(Seq(1)))])
    rows = conn.execute(select(message.c.kind, message.c.body).order_by(message.c.seq)).all()
    assert rows == [(Kind.RECALLED, b""), (Kind.TEXT, b"hello")]
