"""What technicians find out about a gate's devices, and measure of them."""
