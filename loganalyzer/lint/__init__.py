"""Workflows held against the rules, before anything is rendered."""
