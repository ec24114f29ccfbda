"""Compares two sets of runs, base and head: differences, new findings, and metrics that got worse."""
