"""A simulated state: its keys, its passports, and the chip in them."""
