"""Draws the figures of a run and returns them as SVG text for the page."""
