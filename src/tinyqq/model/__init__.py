"""Nouns and pure rules: ids, records, conversation states. No I/O, no protobuf, no clock."""
