"""Parses segments into records, and keeps the lines that serve as evidence."""
