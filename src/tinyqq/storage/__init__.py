"""SQL: one schema, one set of stores, a database seam below them. Implements ``ports.storage``."""
