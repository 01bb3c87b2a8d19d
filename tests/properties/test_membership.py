"""A group under any sequence of operations by anybody."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.support.groups import ANN, GROUP, NOW, create, write

from tinyqq.errors import TinyQQError
from tinyqq.model import membership
from tinyqq.model.conversation import STILL_IN, ConversationState, PutMember, Rule
from tinyqq.model.friend import REQUEST_LIFETIME_MS
from tinyqq.model.group import JoinPolicy, Role
from tinyqq.model.ids import Seq, UserId
from tinyqq.model.membership import Settings, membership_delta
from tinyqq.model.message import MEMBERSHIP_KINDS

USERS = st.sampled_from([UserId(ANN + number) for number in range(6)])
POLICIES = st.sampled_from([policy for policy in JoinPolicy if policy])
LIMIT = 4


class GroupMachine(RuleBasedStateMachine):
    """Applies what the rules allow and keeps the intervals that storage would hold."""

    def __init__(self) -> None:
        super().__init__()
        self.state = ConversationState(GROUP)
        self.now_ms = NOW
        self.intervals: dict[UserId, list[tuple[Seq, Seq]]] = {}
        self.attempt(create(JoinPolicy.OPEN, member_limit=LIMIT))

    def attempt(self, operation: Rule) -> bool:
        """Write it if the rules let it through."""
        before = frozenset(self.state.members)
        try:
            plan = write(self.state, operation, self.now_ms)
        except TinyQQError:
            return False
        self.record(effect for effect in plan.effects if isinstance(effect, PutMember))
        joined, gone = membership_delta(plan.effects, self.state.head_seq)
        assert frozenset(self.state.members) == before.union(joined).difference(gone)
        assert bool(joined or gone) == (plan.kind in MEMBERSHIP_KINDS)
        assert set(joined) <= set(plan.lists)
        return True

    def record(self, rows: Iterable[PutMember]) -> None:
        """A row with the same beginning is the same interval."""
        for row in rows:
            intervals = self.intervals.setdefault(row.user_id, [])
            if intervals and intervals[-1][0] == row.since_seq:
                intervals.pop()
            intervals.append((row.since_seq, row.until_seq))

    def rank(self, user_id: UserId) -> Role:
        """The role of a member, UNSPECIFIED of an outsider."""
        member = self.state.members.get(user_id)
        return member.role if member else Role.UNSPECIFIED

    @rule(user=USERS)
    def join(self, user: UserId) -> None:
        self.attempt(partial(membership.join, user_id=user, note=""))

    @rule(actor=USERS, user=USERS)
    def invite(self, actor: UserId, user: UserId) -> None:
        rank = self.rank(actor)
        if self.attempt(partial(membership.invite, actor_id=actor, user_id=user)):
            assert rank

    @rule(user=USERS, accept=st.booleans())
    def answer_invitation(self, user: UserId, accept: bool) -> None:
        self.attempt(partial(membership.answer_invitation, user_id=user, accept=accept))

    @rule(actor=USERS, user=USERS, accept=st.booleans())
    def answer_request(self, actor: UserId, user: UserId, accept: bool) -> None:
        rank = self.rank(actor)
        operation = partial(membership.answer_request, actor_id=actor, user_id=user, accept=accept)
        if self.attempt(operation):
            assert rank >= Role.ADMIN

    @rule(user=USERS)
    def leave(self, user: UserId) -> None:
        if self.attempt(partial(membership.leave, user_id=user)):
            assert self.rank(user) is Role.UNSPECIFIED

    @rule(actor=USERS, user=USERS)
    def remove(self, actor: UserId, user: UserId) -> None:
        ranks = self.rank(actor), self.rank(user)
        if self.attempt(partial(membership.remove, actor_id=actor, user_id=user)):
            assert ranks[0] > ranks[1]

    @rule(actor=USERS, user=USERS, role=st.sampled_from([Role.MEMBER, Role.ADMIN]))
    def set_role(self, actor: UserId, user: UserId, role: Role) -> None:
        rank = self.rank(actor)
        operation = partial(membership.set_role, actor_id=actor, user_id=user, role=role)
        if self.attempt(operation):
            assert rank is Role.OWNER

    @rule(actor=USERS, user=USERS)
    def transfer(self, actor: UserId, user: UserId) -> None:
        if self.attempt(partial(membership.transfer, actor_id=actor, user_id=user)):
            assert self.rank(user) is Role.OWNER

    @rule(actor=USERS, policy=POLICIES)
    def update(self, actor: UserId, policy: JoinPolicy) -> None:
        rank = self.rank(actor)
        operation = partial(
            membership.update, actor_id=actor, settings=Settings(join_policy=policy)
        )
        if self.attempt(operation):
            assert rank >= Role.ADMIN

    @rule(actor=USERS)
    def set_card(self, actor: UserId) -> None:
        self.attempt(partial(membership.set_card, user_id=actor, card="card"))

    @rule(actor=USERS, chance=st.integers(0, 9))
    def dismiss(self, actor: UserId, chance: int) -> None:
        # Seldom, because nothing happens after it.
        if chance == 0 and self.attempt(partial(membership.dismiss, actor_id=actor)):
            assert not self.state.members

    @rule()
    def let_requests_expire(self) -> None:
        self.now_ms += REQUEST_LIFETIME_MS + 1

    @invariant()
    def living_group_has_exactly_one_owner(self) -> None:
        assert self.state.group is not None
        owners = [row for row in self.state.members.values() if row.role is Role.OWNER]
        assert len(owners) == (0 if self.state.group.dismissed_seq else 1)

    @invariant()
    def limit_holds(self) -> None:
        assert len(self.state.members) <= LIMIT

    @invariant()
    def nobody_waits_inside(self) -> None:
        assert not self.state.requests.keys() & self.state.members.keys()

    @invariant()
    def intervals_are_well_formed(self) -> None:
        for user_id, intervals in self.intervals.items():
            assert all(since <= until for since, until in intervals)
            ends = [*(until for _, until in intervals[:-1])]
            assert all(end < since for end, (since, _) in zip(ends, intervals[1:], strict=True))
            assert (intervals[-1][1] == STILL_IN) == (user_id in self.state.members)


TestGroup = GroupMachine.TestCase
TestGroup.settings = settings(max_examples=60, stateful_step_count=40)
