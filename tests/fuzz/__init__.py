"""Fuzzing of every parser that sees bytes from outside: `python -m tests.fuzz`."""
