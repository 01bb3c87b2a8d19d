"""Benchmarks: how many, how fast, how much memory. README.md says how to read them."""
