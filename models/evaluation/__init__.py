"""Measures what the models decide, in the terms of ISO/IEC 19795-1 and 30107-3."""
