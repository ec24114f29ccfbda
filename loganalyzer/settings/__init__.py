"""The settings of one call: options, the configuration file, and ignored findings."""
