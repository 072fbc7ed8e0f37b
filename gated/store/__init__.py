"""What the gate keeps: one owning connection per database, named migrations, the journal."""
