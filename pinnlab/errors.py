"""Errors that a user can cause and mend."""


class UserError(ValueError):
    """A mistake in the input; its message is one line that says what is wrong and what to do.

    The command line prints the message alone and exits with status 2.
    """


class NothingFoundError(UserError):
    """A solve to a tolerance ended before it had any solution.

    Attributes:
        reason: Why it ended.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"no solution was found: {reason}")
        self.reason = reason

    @property
    def broken_off(self) -> bool:
        """Whether a time limit ended the solve, which can go on then."""
        return self.reason == "the time limit"


class DivergedError(ArithmeticError):
    """Training met a NaN or infinite loss; the message names the constraint, the step and the phase.

    The command line prints the message alone and exits with status 1. The last checkpoint stays as it was.
    """


class RankError(RuntimeError):
    """Another process of a run on several ranks is gone; the message is one line.

    The command line prints the message alone and exits with status 1. The last checkpoint stays as it was.
    """
