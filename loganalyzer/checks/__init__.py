"""The rules: one check function per rule, with its documentation beside it."""
