"""Sends notices to chat services and web hooks when the verdict changes."""
