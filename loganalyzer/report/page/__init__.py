"""The HTML page: records of finished strings, and the templates that place them."""
