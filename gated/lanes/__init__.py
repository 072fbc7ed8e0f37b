"""One file for each lane: a thread that serves one device and turns what it says into events."""
