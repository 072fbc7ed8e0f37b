"""Proof that the lane is safe: heart, doors, people and sensors together, explored without sampling."""
