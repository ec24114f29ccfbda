"""Writes terminal output: summaries laid out in lines and grids."""
