"""Stores runs with their metrics, and judges new runs against earlier ones."""
