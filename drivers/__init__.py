"""One small class for each device of the gate; each knows its own wire and nothing of the gate."""
