"""What goes wrong because of what was given: usage, as opposed to data that says no."""

from __future__ import annotations


class CstoKgError(Exception):
    """Bad input: a missing or unparsable file, an unknown name, a value of the wrong type.

    The message names the place, what is wrong and what to do. Commands print it and exit with 2.
    """


class CstoKgWarning(UserWarning):
    """Something that is not wrong, and could be better: the message says what to do."""
