"""What the line reader and the zone finder are trained on, and how. A gate never imports it."""
