"""Finds, opens and decodes inputs, and cuts them into chunks of complete lines."""
