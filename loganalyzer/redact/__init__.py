"""Masks secrets and personal names before anything is shown: `kinds` defines them, `masking` replaces them."""
