"""Parabolic equations: diffusion, with reaction or transport."""
