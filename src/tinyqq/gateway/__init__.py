"""ProxyService: client connections over TCP and WebSocket, and what is pushed to them."""
