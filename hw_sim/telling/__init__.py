"""Telling what happened: the timeline in the terminal and the report in HTML."""
