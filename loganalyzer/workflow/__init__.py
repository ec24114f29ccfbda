"""Workflow files: what a run was, or will be, asked for."""
