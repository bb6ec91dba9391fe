"""What a person means who answers one of our messages with a single word."""

import re
from enum import StrEnum

_AROUND = re.compile(r"[\W_]+")
RATINGS = {str(rating): rating for rating in range(1, 6)}


class Wish(StrEnum):
    STOP = "stop"
    START = "start"


WISHES = {"stop": Wish.STOP, "berhenti": Wish.STOP, "start": Wish.START, "mulai": Wish.START}


def wish(text: str) -> Wish | None:
    """Whether somebody wants no more messages, or wants them again: the word alone, in any case, with anything
    that is neither a letter nor a digit in and around it.
    """
    return WISHES.get(_alone(text))


def rating(text: str) -> int | None:
    """A digit from 1 to 5 alone."""
    return RATINGS.get(_alone(text))


def _alone(text: str) -> str:
    return _AROUND.sub("", text).casefold()
