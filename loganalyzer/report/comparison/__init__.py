"""A comparison of two sets of runs: HTML page, JSON document, Markdown and terminal text."""
