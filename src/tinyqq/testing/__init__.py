"""Fakes that are real enough to ship: for our tests and for those of people who build on TinyQQ."""
