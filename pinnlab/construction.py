"""Objects that remember the arguments of their constructor, so that a record can say how to make them again."""

from __future__ import annotations

from typing import Any, Self

from pinnlab.errors import UserError
from pinnlab.renamed import option_of


class Constructed:
    """Keeps the arguments of its constructor.

    Attributes:
        made_with: The positional arguments and those by name.
    """

    made_with: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, *arguments: Any, **named: Any) -> Self:
        """Makes the object and keeps the arguments, before any constructor of a subclass runs.

        Raises:
            UserError: if an option is given by a former name.
        """
        for name in named:
            if (new := option_of(cls, name)) != name:
                raise UserError(f"{name} of {cls.__name__} is an old name: write {new}")
        self = super().__new__(cls)
        # not by the class's own setter, which may not be ready
        object.__setattr__(self, "made_with", (arguments, named))
        return self
