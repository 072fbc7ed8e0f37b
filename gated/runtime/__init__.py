"""What runs the heart: the loop, its lanes, the message bus, supervision."""
