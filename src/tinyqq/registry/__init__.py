"""Registry: which nodes live. One module per back-end of ``ports.registry``."""
