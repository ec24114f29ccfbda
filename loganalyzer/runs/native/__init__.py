"""Reads ComfyUI's own samplers and InfiniteTalk nodes."""
