"""What a picture of a face is worth: components after ISO/IEC 29794-5, use, and what the person could do."""
