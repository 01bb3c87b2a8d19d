"""The client protocol, sans-I/O: framing, packets, sessions. No sockets, no clock, no tasks."""
