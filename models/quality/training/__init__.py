"""What the heads network is trained on, and how. A gate never imports it; torch is needed to train only."""
