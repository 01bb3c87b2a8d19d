"""Where files lie, and who looks into images: adapters behind ``ports/media.py``."""
