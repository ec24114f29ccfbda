"""Reads what loganalyzer's recorder prints into ComfyUI's log: settings, steps, memory peaks, and ends of prompts."""
