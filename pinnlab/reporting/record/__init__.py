"""The record of a run: what a fit leaves in its folder."""
