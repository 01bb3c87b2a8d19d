"""The commands of ``tinyqq``: thin shells over the application and the client."""
