"""The readers on the wire: a USB CCID reader, a serial MRZ scanner, and the buses below the real drivers."""
