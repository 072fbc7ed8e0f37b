"""Machine-readable travel documents (ICAO Doc 9303) as bytes in, values out. No I/O."""
