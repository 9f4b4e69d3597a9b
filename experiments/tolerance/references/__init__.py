"""Truths that are computed where no closed form is known, each with a check of its own accuracy."""
