"""The rules: one check function per rule, declared together with its documentation."""
