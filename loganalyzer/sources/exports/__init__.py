"""Reads logs that are inside documents: JSON, tables, notebooks, captures and mails."""
