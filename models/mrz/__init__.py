"""Reads the machine-readable zone of Doc 9303 from the image of a page."""
