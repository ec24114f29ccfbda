"""Text for the terminal: summaries laid out in lines and grids."""
