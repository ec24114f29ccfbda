"""Splits physical lines into segments, and strips what other programs put around a line."""
