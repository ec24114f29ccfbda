"""ComfyUI's own samplers and its InfiniteTalk nodes."""
