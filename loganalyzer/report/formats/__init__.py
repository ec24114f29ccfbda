"""Output formats for machines and other tools, and the reader of our own documents."""
