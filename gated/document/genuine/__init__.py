"""Whether the chip is the one that its state personalised: active, chip and terminal authentication."""
