"""Regions that are known by a test of membership: signed distances and meshes."""
