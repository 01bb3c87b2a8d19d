"""The HTTP port: WebSocket entry, health, metrics, unit directory, a page for people."""
