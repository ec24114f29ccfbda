"""The drawings of a run as SVG text that fits the page: numbers in, markup out."""
