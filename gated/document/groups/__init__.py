"""The groups in which keys are agreed: elliptic curves, and those of Diffie-Hellman (Doc 9303-11, 9.5.1)."""
