"""The errors that convcli expects: each says what, why and how to go on, in one line."""


class ConvcliError(Exception):
    """An expected failure; its message names the value, the rule it broke and the way out."""

    exit_code = 1


class ArgumentError(ConvcliError, ValueError):
    """A value that the caller gave breaks a rule."""

    exit_code = 2
