"""Notices to chat services and web hooks: what they say, when they are sent, and how."""
