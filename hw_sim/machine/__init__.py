"""The machine that a daemon runs on, as it fails: its wall clock and its disk."""
