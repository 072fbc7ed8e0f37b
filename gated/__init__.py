"""The software of one automated border-control gate: its daemons, their rules and their records."""
