"""The commands of `gatectl`, one file for each subject. They return values; nothing here prints."""
