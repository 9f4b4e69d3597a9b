"""Poisson's and Laplace's equation."""
