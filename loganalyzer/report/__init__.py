"""Writes the results: terminal, JSON, JUnit, Markdown, Parquet, CSV and HTML."""
