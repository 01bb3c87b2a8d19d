"""The seams: what the middle floor's packages know of each other. Protocols only, no logic."""
