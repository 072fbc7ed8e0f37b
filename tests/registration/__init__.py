"""Registration at the gate: consent, what is kept, what is sent, and that it is gone when it is deleted."""
