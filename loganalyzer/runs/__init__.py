"""Rebuilds runs from a log's records: prompts, stages, windows, steps, paddings and memory."""
