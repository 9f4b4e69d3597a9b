"""Residuals as functions: their arguments, their results, and the derivatives that they need."""
