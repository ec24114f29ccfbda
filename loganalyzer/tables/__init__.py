"""The tables of the contract: columns and types, and how tables are joined, counted and shortened."""
