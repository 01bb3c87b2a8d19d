"""The inbox as data: vectors/inbox.json, for this client and those in other languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.entries import gap, recall, text

from tinyqq.client.inbox import Inbox
from tinyqq.model.ids import ConversationId, Seq
from tinyqq.model.message import Entry, Kind
from tinyqq.model.sync import Page, Position

SCRIPTS = json.loads((Path(__file__).parent / "vectors/inbox.json").read_text("utf-8"))["scripts"]


def conversation_of(step: dict[str, Any]) -> ConversationId:
    return ConversationId(int(step["conversation_id"]))


def entry_of(data: dict[str, Any]) -> Entry:
    conversation = conversation_of(data)
    match data["kind"]:
        case Kind.HIDDEN:
            return gap(data["seq"], data["through_seq"], conversation=conversation)
        case Kind.RECALL:
            return recall(data["seq"], data["target_seq"], conversation=conversation)
    return text(data["seq"], conversation=conversation)


def ready_after(inbox: Inbox, step: dict[str, Any]) -> list[Entry]:
    """Do one step; what it made ready."""
    match step["do"]:
        case "apply":
            return inbox.apply(entry_of(step["entry"]))
        case "apply_page":
            page = Page(tuple(map(entry_of, step["entries"])), Seq(step["head_seq"]))
            return inbox.apply_page(conversation_of(step), page)
        case "start":
            return inbox.start(conversation_of(step), Seq(step["seq"]))
        case "settle":
            return inbox.settle()
        case "learn_head":
            inbox.learn_head(conversation_of(step), Seq(step["head_seq"]))
        case "sync_failed":
            inbox.sync_failed(conversation_of(step), for_good=step["for_good"])
        case "next_sync":
            wanted = None
            if "none" not in step:
                wanted = Position(conversation_of(step), Seq(step["after_seq"]))
            assert inbox.next_sync() == wanted
        case "position":
            assert inbox.position(conversation_of(step)) == step["seq"]
        case unknown:
            pytest.fail(f"unknown step {unknown}")
    return []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script["name"])
def test_inbox_when_script_runs_then_as_the_vectors_say(script: dict[str, Any]) -> None:
    positions = [Position(conversation_of(one), Seq(one["seq"])) for one in script["positions"]]
    inbox = Inbox(positions, max_held=script["max_held"])
    for number, step in enumerate(script["steps"], start=1):
        ready = ready_after(inbox, step)
        assert [one.seq for one in ready] == step.get("ready", []), f"step {number}: {step}"
        if "erased" in step:
            erased = [one.seq for one in ready if one.kind == Kind.RECALLED]
            assert erased == step["erased"], f"step {number}: {step}"
