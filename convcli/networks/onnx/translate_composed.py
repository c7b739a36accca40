"""Translate operators that consist of several layers: normalisations by reductions over axes."""

from convcli.layers.elementwise import Elementwise
from convcli.layers.reductions import Reduce
from convcli.networks.onnx.constants import of_elements
from convcli.networks.onnx.site import Made, Site, Translator, refuse


class _Steps:
    """A sequence of layers; each takes tensors by name, and its output is named after the node's output."""

    def __init__(self, site: Site) -> None:
        self.site, self.made = site, list[Made]()

    def add(self, layer: Elementwise | Reduce, *inputs: str, **arguments: object) -> str:
        """Add a layer and return its output."""
        name = f"{self.site.outputs[0]}/{len(self.made) + 1}"
        self.made.append(Made(layer, list(inputs), dict(arguments), outputs=[name]))
        return name

    def plus(self, tensor: str, number: float) -> str:
        """Add a number to each element and return the output."""
        operand = of_elements("", (), "float32", [number])
        return self.add(Elementwise("add", operand=()), tensor, operand=operand)

    def done(self) -> list[Made]:
        """Return the layers; the last one makes the node's output."""
        self.made[-1].outputs = list(self.site.outputs)
        return self.made


def _lp_normalisation(site: Site) -> list[Made]:
    """Divide by the L1 or L2 norm along an axis."""
    power = site.get("p", 2)
    if power not in (1, 2):
        refuse(f"its norm is {power}, not 1 or 2")
    steps, x = _Steps(site), site.inputs[0]
    norm = steps.add(Reduce(f"l{power}", (site.get("axis", -1),)), x)
    steps.add(Elementwise("div"), x, norm)
    return steps.done()


def _mean_variance(site: Site) -> list[Made]:
    """Subtract the mean and divide by the standard deviation plus 1e-9, as ONNX defines it."""
    steps, axes = _Steps(site), site.get("axes") or [0, 2, 3]
    x = steps.add(Elementwise("sub"), site.inputs[0], steps.add(Reduce("mean", axes), site.inputs[0]))
    variance = steps.add(Reduce("mean", axes), steps.add(Elementwise("square"), x))
    steps.add(Elementwise("div"), x, steps.plus(steps.add(Elementwise("sqrt"), variance), 1e-9))
    return steps.done()


def _root_mean_square(site: Site) -> list[Made]:
    """Divide by the root mean square over the last axes, and scale: Zhang & Sennrich (2019)."""
    rank = site.rank()
    axes = range(site.get("axis", -1) % rank, rank)
    scale = site.stored(1, "scale")
    steps, x = _Steps(site), site.inputs[0]
    mean = steps.add(Reduce("mean", tuple(axes)), steps.add(Elementwise("square"), x))
    root = steps.add(Elementwise("sqrt"), steps.plus(mean, site.get("epsilon", 1e-5)))
    y = steps.add(Elementwise("div"), x, root)
    steps.add(Elementwise("mul", operand=scale.shape, learned=True), y, operand=scale)
    steps.made[-1].weights = (scale.name,)
    return steps.done()


def _global_lp_pool(site: Site) -> Made:
    power = site.get("p", 2)
    if power not in (1, 2):
        refuse(f"its norm is {power}, not 1 or 2")
    return Made(Reduce(f"l{power}", tuple(range(2, site.rank()))))


COMPOSED: dict[str, Translator] = {
    "LpNormalization": _lp_normalisation,
    "MeanVarianceNormalization": _mean_variance,
    "RMSNormalization": _root_mean_square,
    "GlobalLpPool": _global_lp_pool,
}
