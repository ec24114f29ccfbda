"""The history of runs: JSON document and terminal text."""
