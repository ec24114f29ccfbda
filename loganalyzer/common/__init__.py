"""What every other package uses: errors, numbers in words, time, files, threads."""
