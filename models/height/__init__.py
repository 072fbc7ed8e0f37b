"""How tall somebody is, from one calibrated camera."""
