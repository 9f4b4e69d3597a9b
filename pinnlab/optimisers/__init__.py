"""Optimisers of residual vectors and of functions, as numerics alone: nothing here knows a network or an equation."""
