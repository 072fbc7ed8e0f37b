"""How the re-capture head was trained: simulated prints and screens, and what a camera makes of them."""
