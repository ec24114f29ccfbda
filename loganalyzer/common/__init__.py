"""Helpers that every other package uses: errors, number formats, time, files, threads."""
