"""Simulated devices that stand below the real drivers. Not part of what ships."""
