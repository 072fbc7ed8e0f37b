"""Passive authentication (Doc 9303-11 section 5.1, Doc 9303-12): certificates, lists, whose word counts."""
