"""What was found, for people and for machines: terminal, JSON, Parquet, and one HTML page."""
