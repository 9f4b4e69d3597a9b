"""Strategy: what drives training, so that a solution meets a tolerance."""

from pinnlab.strategy.features import Features
from pinnlab.strategy.recipe import Accept, Outcome, Progress, Proposal, Recipe, Restart, Stop, Survey
from pinnlab.strategy.recipes.refinement import Refinement

__all__ = [
    "Accept",
    "Features",
    "Outcome",
    "Progress",
    "Proposal",
    "Recipe",
    "Refinement",
    "Restart",
    "Stop",
    "Survey",
]
