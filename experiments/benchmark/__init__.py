"""Every configuration that ships, measured: by `tol` alone and by hand, beside the published records.

`python -m experiments.benchmark` measures what is missing, and `….summary` prints the table of the records, which are
in `records.csv` with who reached them, and with what.
"""
