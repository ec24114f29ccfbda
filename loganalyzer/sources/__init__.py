"""Inputs found, opened, decoded and cut into chunks of whole lines."""
