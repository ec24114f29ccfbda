"""The tables of the contract: their columns and types, and how they are joined, counted and shortened."""
