"""What the camera sees: invented people, rendered, and the stream that OpenCV opens."""
