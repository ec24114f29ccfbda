"""Programs that sample without ComfyUI or its wrapper: LightX2V, MeiGen, Wan2GP."""
