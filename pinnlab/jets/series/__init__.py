"""Truncated graded algebras: their product tables, and the products of series over them."""
