"""Translate operators with windows or learned channels: convolutions, pools, normalisations, resizing."""

from typing import TYPE_CHECKING, Any

from convcli.layers.activation import PReLU
from convcli.layers.conv import Conv
from convcli.layers.elementwise import Elementwise
from convcli.layers.normalisation import LRN, GroupNorm, InstanceNorm, LayerNorm
from convcli.layers.other import BatchNorm
from convcli.layers.pad import Pad, PadAxes
from convcli.layers.padding import AnyPadding, span
from convcli.layers.pixel_shuffle import PixelShuffle, PixelUnshuffle
from convcli.layers.pool import AvgPool, GlobalPool, LpPool, MaxPool
from convcli.layers.reshaping import Squeeze, Unsqueeze
from convcli.layers.resize import Resize
from convcli.layers.transposed import ConvTranspose
from convcli.networks.onnx.site import Made, Site, Translator, refuse

if TYPE_CHECKING:
    from fractions import Fraction

ORDERS = {"CRD": "channels-first", "DCR": "places-first"}
MODES: dict[str, Any] = {
    "nearest": "nearest",
    "linear": "bilinear",
    "bilinear": "bilinear",
    "cubic": "bicubic",
}
COORDINATES: dict[str, Any] = {
    "asymmetric": "asymmetric",
    "half_pixel": "half-pixel",
    "half_pixel_symmetric": "half-pixel-symmetric",
    "pytorch_half_pixel": "pytorch-half-pixel",
    "tf_half_pixel_for_nn": "tf-half-pixel",
    "align_corners": "align-corners",
}
ROUNDINGS: dict[str, Any] = {
    "floor": "floor",
    "ceil": "ceil",
    "round_prefer_floor": "half-down",
    "round_prefer_ceil": "half-up",
}
PAD_MODES = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}


def _pairs(pads: list[int]) -> tuple[tuple[int, int], ...]:
    """Return (before, after) per axis from ONNX's pads, which list all starts first."""
    half = len(pads) // 2
    return tuple(zip(pads[:half], pads[half:], strict=True))


def _padding(site: Site, dims: int) -> AnyPadding:
    names = {"SAME_UPPER": "same", "SAME_LOWER": "same-lower", "VALID": "valid"}
    auto = site.get("auto_pad", "NOTSET")
    if auto in names:
        return names[auto]
    return _pairs(site.get("pads") or [0] * (2 * dims))


def _conv(site: Site) -> Made:
    weight, groups = site.stored(1, "weight"), site.get("group", 1)
    kernel = weight.shape[2:]
    bias = site.stored(2, "bias") if site.has(2) else None
    if len(weight.shape) < 3:
        refuse("its weight has no kernel")
    layer = Conv(
        in_channels=weight.shape[1] * groups,
        out_channels=weight.shape[0],
        kernel_size=kernel,
        stride=site.get("strides") or (1,) * len(kernel),
        padding=_padding(site, len(kernel)),
        dilation=site.get("dilations") or (1,) * len(kernel),
        groups=groups,
        bias=bias is not None,
    )
    return _weighted(layer, weight=weight, bias=bias)


def _weighted(layer: Any, **arrays: Any) -> Made:
    """Return a layer with its weight and bias."""
    given = {name: array for name, array in arrays.items() if array is not None}
    return Made(layer, arguments=given, weights=tuple(array.name for array in given.values()))


def _conv_transpose(site: Site) -> Made:
    weight, groups = site.stored(1, "weight"), site.get("group", 1)
    bias = site.stored(2, "bias") if site.has(2) else None
    kernel = weight.shape[2:]
    dims = len(kernel)
    stride = site.get("strides") or [1] * dims
    dilation = site.get("dilations") or [1] * dims
    extra = site.get("output_padding") or [0] * dims
    padding: Any = _padding(site, dims)
    wanted, auto = site.get("output_shape"), site.get("auto_pad", "NOTSET")
    if wanted is not None or auto.startswith("SAME"):
        sizes = site.known_shape()[2:]
        wanted = [n * s for n, s in zip(sizes, stride, strict=True)] if wanted is None else wanted[-dims:]
        padding = []
        upper = auto == "SAME_UPPER"
        for n, s, k, d, e, o in zip(sizes, stride, kernel, dilation, extra, wanted, strict=True):
            total = max(0, s * (n - 1) + e + span(k, d) - o)
            less, more = total // 2, total - total // 2
            padding.append((less, more) if upper else (more, less))
    layer = ConvTranspose(
        in_channels=weight.shape[0],
        out_channels=weight.shape[1] * groups,
        kernel_size=kernel,
        stride=stride,
        padding=padding,
        output_padding=extra,
        dilation=dilation,
        groups=groups,
        bias=bias is not None,
    )
    return _weighted(layer, weight=weight, bias=bias)


def _window(site: Site) -> dict[str, Any]:
    kernel = site.get("kernel_shape") or refuse("it has no kernel_shape")
    return {
        "kernel_size": kernel,
        "stride": site.get("strides") or (1,) * len(kernel),
        "padding": _padding(site, len(kernel)),
        "dilation": site.get("dilations") or (1,) * len(kernel),
        "ceil_mode": bool(site.get("ceil_mode", 0)),
    }


def _max_pool(site: Site) -> Made:
    if len(site.outputs) > 1 and site.outputs[1]:
        refuse("its indices of the maxima are used")
    return Made(MaxPool(**_window(site)))


def _avg_pool(site: Site) -> Made:
    return Made(AvgPool(**_window(site), count_include_pad=bool(site.get("count_include_pad", 0))))


def _lp_pool(site: Site) -> Made:
    return Made(LpPool(site.get("p", 2), **_window(site)))


def _batch_norm(site: Site) -> Made:
    if site.get("training_mode") or (site.opset < 9 and not site.get("spatial", 1)):
        refuse("it is in training mode or not per channel")
    gamma, beta, mean, var = (
        site.stored(place, what) for place, what in enumerate(("scale", "bias", "mean", "variance"), start=1)
    )
    arrays = {"gamma": gamma, "beta": beta, "mean": mean, "var": var}
    names = (gamma.name, beta.name, mean.name, var.name)
    (channels,) = gamma.shape
    return Made(BatchNorm(channels), arguments=arrays | {"eps": site.get("epsilon", 1e-5)}, weights=names)


def _instance_norm(site: Site) -> Made:
    gamma, beta = site.stored(1, "scale"), site.stored(2, "bias")
    made = _weighted(InstanceNorm(gamma.shape[0], affine=True), gamma=gamma, beta=beta)
    made.arguments["eps"] = site.get("epsilon", 1e-5)
    return made


def _group_norm(site: Site) -> Made:
    gamma, beta, groups = site.stored(1, "scale"), site.stored(2, "bias"), site.get("num_groups", 1)
    channels = (site.shape() or refuse("its channels are unknown"))[1]
    if gamma.shape == (groups,) and site.opset < 21:  # one per group
        gamma, beta = gamma.repeated(channels // groups), beta.repeated(channels // groups)
    made = _weighted(GroupNorm(groups, channels), gamma=gamma, beta=beta)
    made.arguments["eps"] = site.get("epsilon", 1e-5)
    return made


def _layer_norm(site: Site) -> Made | list[Made]:
    if any(site.outputs[1:]):
        refuse("its mean or its deviation is used")
    gamma, beta = site.stored(1, "scale"), site.stored(2, "bias") if site.has(2) else None
    rank, axis = site.rank(), site.get("axis", -1)
    count = -axis if axis < 0 else rank - axis
    if len(gamma.shape) != count:
        refuse("its scale does not have the normalised axes")
    made = _weighted(LayerNorm(gamma.shape, bias=beta is not None), gamma=gamma, beta=beta)
    made.arguments["eps"] = site.get("epsilon", 1e-5)
    if count < rank:
        return made
    item, normal = (
        f"{site.outputs[0]}/{part}" for part in ("item", "normal")
    )  # the whole tensor is treated as one item
    made.inputs, made.outputs = [item], [normal]
    return [
        Made(Unsqueeze((0,)), [site.inputs[0]], outputs=[item]),
        made,
        Made(Squeeze((0,)), [normal], outputs=list(site.outputs)),
    ]


def _lrn(site: Site) -> Made:
    size = site.get("size", 1)
    numbers = {"alpha": site.get("alpha", 1e-4), "beta": site.get("beta", 0.75), "k": site.get("bias", 1.0)}
    return Made(LRN(size), arguments=numbers | {"before": (size - 1) // 2})


def _prelu(site: Site) -> Made:
    slope = site.constant(1)
    if slope is None:
        return Made(Elementwise("slope"), list(site.inputs))
    slopes = max(slope.shape, default=1)
    rank = site.rank()
    one_each = slope.shape.count(1) >= len(slope.shape) - 1
    if not one_each or rank < 2 or (slopes > 1 and slope.shape[1 - rank :][:1] != (slopes,)):
        layer = Elementwise("slope", operand=slope.shape, learned=True)
        return Made(layer, [site.inputs[0]], {"operand": slope}, (slope.name,))
    return Made(PReLU(slopes), arguments={"weight": slope.flat(slopes)}, weights=(slope.name,))


def _pad(site: Site) -> Made:
    pads = site.listed("pads", 1) or refuse("it has no pads")
    rank = site.rank()
    mode = PAD_MODES.get(site.get("mode", "constant")) or refuse(
        f"its mode {site.get('mode')!r} is not supported"
    )
    value = site.get("value", 0.0)
    if site.has(2):
        value = site.numbers(2, "value")[0]
    pairs = [(0, 0)] * rank
    axes = site.numbers(3, "axes") if site.has(3) else range(rank)
    for axis, pair in zip(axes, _pairs(pads), strict=True):
        pairs[axis] = pair
    mode = "zeros" if mode == "constant" and not value else mode
    value = value if mode == "constant" else 0.0
    if rank < 3 or any(pairs[0]) or (any(pairs[1]) and mode not in ("zeros", "constant")):
        return Made(PadAxes(pairs, mode=mode, value=value), [site.inputs[0]])
    return Made(Pad(pairs[2:], channels=pairs[1], mode=mode, value=value), [site.inputs[0]])


def simplest(number: float) -> "int | Fraction":
    """Return the simplest fraction that rounds to a given float32.

    A model that states 0.33333334 means a scale of 1 / 3: times 3 it gives 1, as it does in float32.

    >>> simplest(0.3333333432674408), simplest(2.0)
    (Fraction(1, 3), 2)
    """
    from fractions import Fraction  # slow to import

    given = Fraction(number)
    found = next(
        (
            each
            for most in (16, 256, 4096)
            if abs((each := given.limit_denominator(most)) - given) <= abs(given) / (1 << 24)
        ),
        given,
    )
    return found.numerator if found.denominator == 1 else found


def _resize(site: Site) -> Made:
    mode = site.get("mode", "nearest")
    known = MODES.get(mode) or refuse(f"its mode {mode!r} is not supported")
    old = site.operation == "Upsample" or site.opset < 11
    rank = site.rank()
    scale_place, size_place = (1, 9) if old else (2, 3)
    sizes = site.numbers(size_place, "size") if site.has(size_place) else None
    scales = None
    if not sizes:
        scales = site.listed("scales", scale_place) or refuse("it has neither a scale nor a size")
    given = sizes or scales or []
    axes = site.get("axes") or list(range(rank))
    whole: list[Any] = [None] * rank
    for axis, number in zip(axes, given, strict=True):
        whole[axis] = number
    shape = site.shape() or ()
    whole = [(shape[axis] if sizes else 1.0) if n is None else n for axis, n in enumerate(whole)]
    if (tuple(whole[:2]) != shape[:2]) if sizes else (whole[:2] != [1, 1]):
        refuse("it resizes the channels")
    if site.get("antialias") or site.get("exclude_outside"):
        refuse("it uses antialias or exclude_outside")
    if site.get("keep_aspect_ratio_policy", "stretch") != "stretch":
        refuse("it keeps the aspect ratio")
    coordinates = "asymmetric" if old else site.get("coordinate_transformation_mode", "half_pixel")
    rounding = site.get("nearest_mode", "round_prefer_floor")
    if old:  # as in ONNX Runtime, because the standard leaves it open
        rounding = "ceil" if all(n <= 1 for n in whole) else "floor"
    layer = Resize(
        size=tuple(whole[2:]) if sizes else None,
        scale=None if sizes else tuple(map(simplest, whole[2:])),
        mode=known,
        coordinates=COORDINATES.get(coordinates)
        or refuse(f"its coordinates {coordinates} are not supported"),
        rounding=(ROUNDINGS.get(rounding) or refuse(f"its rounding {rounding} is not supported"))
        if known == "nearest"
        else "floor",
    )
    return Made(
        layer, [site.inputs[0]], {"cubic": site.get("cubic_coeff_a", -0.75)} if known == "bicubic" else {}
    )


def _depth_to_space(site: Site) -> Made:
    order = ORDERS.get(site.get("mode", "DCR")) or refuse(f"its mode {site.get('mode')!r} is not supported")
    return Made(PixelShuffle(site.get("blocksize", 1)), arguments={"order": order})


def _space_to_depth(site: Site) -> Made:
    return Made(PixelUnshuffle(site.get("blocksize", 1)), arguments={"order": "places-first"})


WINDOWS: dict[str, Translator] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "MaxPool": _max_pool,
    "AveragePool": _avg_pool,
    "LpPool": _lp_pool,
    "GlobalAveragePool": lambda site: Made(GlobalPool("avg")),
    "GlobalMaxPool": lambda site: Made(GlobalPool("max")),
    "BatchNormalization": _batch_norm,
    "InstanceNormalization": _instance_norm,
    "GroupNormalization": _group_norm,
    "LayerNormalization": _layer_norm,
    "LRN": _lrn,
    "PRelu": _prelu,
    "Pad": _pad,
    "Resize": _resize,
    "Upsample": _resize,
    "DepthToSpace": _depth_to_space,
    "SpaceToDepth": _space_to_depth,
}
