"""The recorder: an extension of ComfyUI that prints what no log tells, and its installer."""
