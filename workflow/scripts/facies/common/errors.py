"""The one error a user is meant to read."""


class InputError(Exception):
    """Something the user gave cannot be used; the message names file, row and remedy."""
