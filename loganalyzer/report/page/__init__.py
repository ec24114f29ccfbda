"""Builds the HTML report: a page model of formatted strings, which the templates lay out."""
