"""Writes the output formats, and reads back the tool's own documents."""
