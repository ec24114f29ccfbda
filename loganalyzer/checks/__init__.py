"""The rules: what is held against the tables, one function per rule, documented where it stands."""
