"""Why a text cannot be made."""


class Unrenderable(ValueError):  # noqa: N818 - failures are adjectives here
    """The template or its values are at fault; the text says what to change."""
