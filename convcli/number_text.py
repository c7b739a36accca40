"""Numbers as people write them: whole, decimal, or a fraction."""


def read_real(word: str) -> int | float:
    """Read 7, 0.5, 1e-3 or 1/9; whole numbers stay exact, as do 4/2. Raises ValueError, or an ArithmeticError.

    >>> read_real("7"), read_real("0.5"), read_real("-1/4"), read_real("6/3")
    (7, 0.5, -0.25, 2)
    """
    over, slash, under = word.partition("/")
    numerator = _plain(over)
    if not slash:
        return numerator
    denominator = _plain(under)
    if isinstance(numerator, int) and isinstance(denominator, int) and numerator % denominator == 0:
        return numerator // denominator
    return numerator / denominator


def _plain(word: str) -> int | float:
    try:
        return int(word)
    except ValueError:
        return float(word)
