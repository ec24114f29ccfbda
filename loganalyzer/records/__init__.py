"""Segments parsed into records, and the lines that serve as evidence."""
