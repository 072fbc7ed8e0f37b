"""The pure heart: facts, effects, the transition table and `step`. No I/O, no clock, no chance."""
