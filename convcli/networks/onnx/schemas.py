"""Excerpt of ONNX's operator definitions: the number of inputs, and the types of attributes.

From onnx.defs of onnx 1.23, all versions from 7 on (https://onnx.ai/onnx/operators).
"""

from convcli.errors import ArgumentError

FLOAT, INT, STRING, TENSOR, GRAPH, FLOATS, INTS, STRINGS = range(1, 9)

TYPES = {
    FLOAT: "a float",
    INT: "an integer",
    STRING: "a string",
    TENSOR: "a tensor",
    GRAPH: "a graph",
    FLOATS: "floats",
    INTS: "integers",
    STRINGS: "strings",
}

# The types of attributes; attributes of the same name have the same type in all operators.
ATTRIBUTES = {
    name: kind
    for kind, names in {
        INT: "align_corners allowzero antialias axis batch_dims blocksize broadcast ceil_mode center_point_box "
        "count_include_pad detect_negative detect_positive end exclude_outside exclusive fmod group hidden_size "
        "input_forget is_test k keepdims largest layout linear_before_reset noop_with_empty_axes num_groups "
        "num_outputs output_height output_sequence output_width reverse sampling_ratio saturate seed "
        "select_last_index size sorted spatial start stash_type storage_order training_mode transA transB upper",
        FLOAT: "alpha beta bias clip cubic_coeff_a epsilon extrapolation_value gamma height_scale lambd max min "
        "momentum ratio spatial_scale width_scale",
        STRING: "approximate auto_pad coordinate_transformation_mode direction equation keep_aspect_ratio_policy mode "
        "nearest_mode padding_mode reduction round_mode",
        INTS: "axes consumed_inputs dilations ends kernel_shape output_padding output_shape paddings pads perm shape "
        "split starts strides",
        FLOATS: "activation_alpha activation_beta scales",
        STRINGS: "activations",
        GRAPH: "else_branch then_branch",
    }.items()
    for name in names.split()
}

# The smallest and the largest number of inputs of operators; operators that are not listed have one input.
INPUTS: dict[str, tuple[int, int | None]] = {
    name: counts
    for counts, names in {
        (
            1,
            2,
        ): "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum "
        "ReduceSumSquare Split Squeeze TopK Trilu Unsqueeze Upsample",
        (1, 3): "Clip Dropout",
        (1, 4): "Pad Resize",
        (1, 5): "Slice",
        (1, None): "Concat Einsum Max Mean Min Sum",
        (
            2,
            2,
        ): "Add And Compress CumSum Div Equal Expand Gather GatherElements GatherND Greater GreaterOrEqual "
        "GridSample Less LessOrEqual MatMul Mod Mul Or PRelu Pow RMSNormalization Reshape Sub Tile Xor",
        (2, 3): "Conv ConvTranspose Gemm LayerNormalization",
        (2, 5): "NonMaxSuppression",
        (
            3,
            3,
        ): "GroupNormalization InstanceNormalization OneHot Range RoiAlign Scatter ScatterElements ScatterND Where",
        (3, 6): "GRU RNN",
        (3, 8): "LSTM",
        (5, 5): "BatchNormalization",
    }.items()
    for name in names.split()
}


def check_attribute(name: str, kind: int, node: str) -> None:
    """Raise ArgumentError if an attribute has another type than its operator requires."""
    wanted = ATTRIBUTES.get(name)
    if wanted is not None and kind != wanted:
        raise ArgumentError(
            f"the attribute {name!r} of the node {node!r} is {TYPES.get(kind, 'of another type')}, but must be "
            f"{TYPES[wanted]}"
        )


def misfit(operator: str, inputs: list[str]) -> str:
    """Return what is wrong with the number of an operator's inputs; an empty string if it is right."""
    fewest, most = INPUTS.get(operator, (1, 1))
    given = len(inputs)
    if given < fewest or not all(inputs[:fewest]):
        return f"it has {sum(map(bool, inputs[:fewest]))} of the {fewest} inputs that it needs"
    if most is not None and given > most:
        return f"it has {given} inputs, but takes at most {most}"
    return ""
