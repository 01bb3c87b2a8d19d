"""The laboratory: load, its measurement, and the floor that our own server is compared with."""
