"""Strategy: what drives training, so that a solution meets a tolerance."""

from pinnlab.strategy.features import Features
from pinnlab.strategy.recipe import Accept, Outcome, Progress, Proposal, Recheck, Recipe, Restart, Stop, Survey, Vary
from pinnlab.strategy.recipes.continuation import Continuation
from pinnlab.strategy.recipes.refinement import Refinement

__all__ = [
    "Accept",
    "Continuation",
    "Features",
    "Outcome",
    "Progress",
    "Proposal",
    "Recheck",
    "Recipe",
    "Refinement",
    "Restart",
    "Stop",
    "Survey",
    "Vary",
]
