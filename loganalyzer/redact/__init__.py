"""Secrets and names of people, masked before anything is shown: `kinds` lists them, `masking` masks them."""
