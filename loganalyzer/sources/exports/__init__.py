"""Logs inside documents: JSON, tables, notebooks, captures and mails read out as the lines of the log they carry."""
