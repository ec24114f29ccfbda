"""Reads workflow files: the settings that a workflow requests for a run."""
