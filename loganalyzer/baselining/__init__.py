"""New baselines out of measured runs: proposed with their reason, written only when told so."""
