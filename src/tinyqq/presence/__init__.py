"""Presence: which unit holds whom. One module per back-end of ``ports.presence``."""
