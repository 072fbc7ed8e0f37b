"""The face models: what they are (manifest), how they run (TFLite), and what their numbers mean."""
