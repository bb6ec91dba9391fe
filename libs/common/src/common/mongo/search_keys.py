"""What the directory is searched by: identities and words of names as nobody has to spell them exactly.

A row's `found_as` holds its identity and its name from each of its first words on, folded: `Siti  Áminah` is found as
`siti aminah` and as `aminah`. Whatever begins one of them finds the row, by one range of one index.
"""

import unicodedata

from common.mongo.collection import Document

FIELD = "found_as"
NAMES = {"tickets": "title", "invoices": "number"}
"""What a row is called by, where it has no `name`."""
MOST_WORDS = 12
MOST_CHARACTERS = 64
"""No identity is longer; of a longer name the beginning counts."""
_LAST = "\U0010ffff"


def named_by(kind: str) -> str:
    """The field that tells what a row of this kind is called."""
    return NAMES.get(kind, "name")


def folded(text: str) -> str:
    """Without case and accents, and with single spaces."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return " ".join(plain.casefold().split())[:MOST_CHARACTERS]


def keys_of(identity: str, name: str = "") -> list[str]:
    words = name.split()
    return sorted({folded(identity), *(folded(" ".join(words[at:])) for at in range(min(len(words), MOST_WORDS)))})


def begun_with(text: str) -> Document:
    """The query for rows whose identity, or name from one of its words on, begins with this."""
    begin = folded(text)
    return {FIELD: {"$elemMatch": {"$gte": begin, "$lt": begin + _LAST}}}
