"""What a maintainer asks for, in one small archive: report, text, the log's telling slices, environment, manifest."""
