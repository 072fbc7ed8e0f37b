"""What gate-vision sees with: cameras with their moods, and the page that lies under one of them."""
