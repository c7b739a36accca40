"""The shared help of the calculators: the groups of their options, and the syntax of --layers."""

LAYER_GROUPS = {
    "Layer": (
        *("n", "k", "s", "p", "d", "in_channels", "out_channels", "groups", "dims", "bias"),
        *("variant", "transposed", "output_padding", "ceil", "chain", "activation", "pool"),
    ),
    "Network": ("inputs", "width"),
    "Question": ("target", "roofline", "training", "optimizer", "batch", "dtype", "max_rows"),
    "Answer": ("form", "fields", "output", "force", "theme"),
}


def chain_help() -> str:
    """Return the description of the syntax of --layers."""
    from convcli.layers.activation import ACTIVATIONS
    from convcli.layers.elementwise import BINARY, UNARY, WHERE
    from convcli.layers.reductions import KINDS
    from convcli.layers.text.operators import OPERATORS

    alike = {*BINARY, *UNARY, WHERE, *(f"reduce-{kind}" for kind in KINDS)}
    operators = [
        " ".join([name, *(option.partition("=")[0].rstrip("!") for option in operator.options.split())])
        for name, operator in OPERATORS.items()
        if name not in alike
    ]
    letters = (
        "k kernel, s stride, p padding, d dilation, g groups, o output channels, size or shape, op output padding, "
        "os output size, x factor, n number, a axes (1 channels, 2 height, ...), f from, t to"
    )
    return (
        f"The layers of a chain are separated by commas: {'; '.join(operators)}; reduce-KIND a keep "
        f"({', '.join(KINDS)}); {', '.join(ACTIVATIONS)}; with an operand, such as mul o64x1x1: {', '.join(BINARY)}; "
        f"element-wise: {', '.join(UNARY)}. An option is a letter followed by a value: {letters}."
    )
