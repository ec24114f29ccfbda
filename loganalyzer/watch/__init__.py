"""Watches a growing log and warns while the run can still be stopped."""
