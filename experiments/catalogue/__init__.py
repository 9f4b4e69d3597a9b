"""The catalogue's pages: one for each equation that ships, with what a solve to a tolerance finds and a picture of it.

`python -m experiments.catalogue` solves every configuration that has a tolerance, writes a row and a picture of each,
and then all pages; `….pages` writes the pages of what has been measured so far, and runs nothing.
"""
