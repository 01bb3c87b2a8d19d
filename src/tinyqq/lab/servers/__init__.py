"""Real servers as processes on this machine: for tests, measurements and a cluster to try out."""
