"""Writes a comparison of two sets of runs as HTML, JSON, Markdown and terminal text."""
