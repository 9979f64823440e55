"""Which Qingzhou this is: said here alone; pyproject.toml reads it."""

__version__ = "0.1.0"
