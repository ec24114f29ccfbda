"""Reads standalone programs, which sample without ComfyUI: LightX2V, MeiGen, Wan2GP."""
