"""Checks workflows against the rules before anything is rendered."""
