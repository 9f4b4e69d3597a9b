"""What torch functions mean on jets: importing this package registers a rule for each."""

from pinnlab.jets.rules import activations, arithmetic, piecewise, structure

__all__ = ["activations", "arithmetic", "piecewise", "structure"]
