"""A long soak of the lane in compressed time: thousands of travellers, and whatever can break."""
