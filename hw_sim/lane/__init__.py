"""The lane: a GPIO board with doors, lamps and sensors, and the people who walk through it."""
