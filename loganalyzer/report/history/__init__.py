"""Writes the history of runs as JSON and as terminal text."""
