"""Reads inputs into tables in bounded memory, in this process or on the workers of a cluster."""
