"""Watchlists: what a published list says, how a gate's copy follows it, and what counts as a hit. No I/O."""
