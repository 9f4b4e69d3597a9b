"""Incompressible flow: the Navier-Stokes equations."""
