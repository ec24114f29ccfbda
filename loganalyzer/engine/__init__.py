"""Inputs read into tables, in this process or on the workers of a cluster, in bounded memory."""
