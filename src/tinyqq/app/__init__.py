"""The composition root: settings, the parts list, and the running process."""
