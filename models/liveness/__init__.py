"""Whether a living person stands before the camera: independent cues, fused into one score."""
