from __future__ import annotations

from tinyqq.model.group import Role


def test_roles_when_compared_then_the_larger_outranks() -> None:
    assert Role.OWNER > Role.ADMIN > Role.MEMBER > Role.UNSPECIFIED
