"""Regions that are moved, turned, stretched or revolved."""
