"""Operators that look up, select, sort or sample elements, and sequences, against plain loops."""

from itertools import product

import numpy as np
import pytest

from convcli import networks
from convcli.errors import ArgumentError
from tests.networks.onnx.models import helper, made, numbers, saved

INT = np.int64


def ints(*values):
    return np.array(values, INT)


def ran(tmp_path, operator, inputs, attributes=None, opset=18, outputs=("out",)):
    """Return the output of a model with one node; lists are constant inputs, None is an omitted input."""
    constants, given, names = {}, {}, []
    for place, each in enumerate(inputs):
        names.append("" if each is None else f"t{place}")
        if isinstance(each, list):
            constants[f"t{place}"] = each[0]
        elif each is not None:
            given[f"t{place}"] = each
    node = helper.make_node(operator, names, list(outputs), name="node", **(attributes or {}))
    model = made([node], {name: array.shape for name, array in given.items()}, outputs, constants, opset)
    for value in model.graph.input:
        value.type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(given[value.name].dtype)
    network = networks.load(saved(tmp_path, model))
    found = network.run(given)
    row = network.rows()[-1]
    assert row["output_shape"] in (None, list(found[outputs[0]].shape))
    return found["out"] if outputs == ("out",) else tuple(found[name] for name in outputs)


def refusal(tmp_path, *arguments, **options):
    with pytest.raises(ArgumentError) as error:
        ran(tmp_path, *arguments, **options)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_gather_elements_takes_one_for_each_index(tmp_path):
    x, indices = numbers(3, 4, 2), np.random.default_rng(1).integers(-4, 4, (2, 5, 2))
    wanted = np.empty((2, 5, 2), np.float32)
    for a, b, c in np.ndindex(2, 5, 2):
        wanted[a, b, c] = x[a, indices[a, b, c], c]
    assert np.array_equal(ran(tmp_path, "GatherElements", [x, indices], {"axis": 1}), wanted)
    assert np.array_equal(ran(tmp_path, "GatherElements", [x, [indices]], {"axis": -2}), wanted)
    text = refusal(tmp_path, "GatherElements", [x, np.full((1, 1, 1), 4)], {"axis": 1})
    assert text == (
        "node 'node' (gatherelements a1) cannot be run: the index 4 lies outside axis 1 of size 4; it must be from -4 "
        "to 3"
    )


@pytest.mark.parametrize(
    ("batch", "indices"), [(0, ints(1, -1)), (0, ints([0, 2], [2, -3], [1, 1])), (1, ints([1], [0], [-2]))]
)
def test_gather_nd_takes_the_part_that_a_row_names(tmp_path, batch, indices):
    x = numbers(3, 3, 2)
    rows = indices.reshape(-1, indices.shape[-1])
    parts = [x[(item, *row) if batch else tuple(row)] for item, row in enumerate(rows)]
    wanted = np.array(parts).reshape(*indices.shape[:-1], *parts[0].shape)
    assert np.array_equal(ran(tmp_path, "GatherND", [x, indices], {"batch_dims": batch}), wanted)


REDUCED = {
    "none": lambda old, new: new,
    "add": lambda old, new: old + new,
    "mul": lambda old, new: old * new,
    "max": max,
    "min": min,
}


@pytest.mark.parametrize("reduction", REDUCED)
def test_scatter_writes_one_after_the_other(tmp_path, reduction):
    x, updates = numbers(3, 4), numbers(2, 4, seed=1)
    indices = ints([0, 1, -1, 2], [1, 0, 0, 1] if reduction == "none" else [0, 1, -1, 2])
    wanted = x.copy()
    for a, b in np.ndindex(2, 4):
        wanted[indices[a, b], b] = REDUCED[reduction](wanted[indices[a, b], b], updates[a, b])
    ours = ran(tmp_path, "ScatterElements", [x, indices, updates], {"axis": 0, "reduction": reduction})
    np.testing.assert_allclose(ours, wanted, rtol=1e-6)
    places = ints([2], [-3]) if reduction == "none" else ints([2], [2])
    wanted = x.copy()
    for row, (place,) in enumerate(places):
        for column in range(4):
            wanted[place, column] = REDUCED[reduction](wanted[place, column], updates[row, column])
    ours = ran(tmp_path, "ScatterND", [x, [places], updates], {"reduction": reduction})
    np.testing.assert_allclose(ours, wanted, rtol=1e-6)


@pytest.mark.parametrize("largest", [0, 1])
def test_top_k_are_in_order_and_of_equal_ones_the_first(tmp_path, largest):
    x = np.round(numbers(2, 9, 3) * 2)
    values, places = ran(
        tmp_path, "TopK", [x, [ints(4)]], {"axis": 1, "largest": largest}, outputs=("values", "places")
    )
    assert (values.shape, places.dtype) == ((2, 4, 3), INT)
    for a, b in product(range(2), range(3)):
        order = sorted(range(9), key=lambda place: (-x[a, place, b] if largest else x[a, place, b], place))[
            :4
        ]
        assert places[a, :, b].tolist() == order
        assert values[a, :, b].tolist() == [x[a, place, b] for place in order]
    assert "count 10 is larger than the size 9 of axis 1 of 2x9x3" in refusal(
        tmp_path, "TopK", [x, [ints(10)]], {"axis": 1}, outputs=("values", "places")
    )


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_one_hot(tmp_path, axis):
    indices = ints([0, 3, -1], [7, 1, -5])
    wanted = np.full((2, 3, 4), 0.5, np.float32)
    for a, b in np.ndindex(2, 3):
        if -4 <= indices[a, b] < 4:
            wanted[a, b, indices[a, b]] = 2
    values = [np.float32([0.5, 2])]
    ours = ran(tmp_path, "OneHot", [indices, [np.array(4)], values], {"axis": axis})
    assert np.array_equal(ours, np.moveaxis(wanted, 2, axis))


@pytest.mark.parametrize(("exclusive", "reverse"), list(product((0, 1), repeat=2)))
def test_cum_sum(tmp_path, exclusive, reverse):
    x = numbers(2, 5, 3)
    wanted = np.zeros_like(x)
    for place in range(5):
        some = range(place + exclusive, 5) if reverse else range(place + 1 - exclusive)
        wanted[:, place] = sum((x[:, each] for each in some), np.zeros((2, 3), np.float32))
    ours = ran(tmp_path, "CumSum", [x, [np.array(-2)]], {"exclusive": exclusive, "reverse": reverse})
    np.testing.assert_allclose(ours, wanted, atol=1e-6)


@pytest.mark.parametrize(("upper", "diagonal"), list(product((0, 1), (-2, 0, 1, 1 << 40))))
def test_triangles(tmp_path, upper, diagonal):
    x = numbers(2, 3, 4)
    wanted = np.zeros_like(x)
    for a, b in np.ndindex(3, 4):
        if (b - a >= diagonal) if upper else (b - a <= diagonal):
            wanted[:, a, b] = x[:, a, b]
    assert np.array_equal(ran(tmp_path, "Trilu", [x, [np.array(diagonal)]], {"upper": upper}), wanted)


@pytest.mark.parametrize(
    ("equation", "shapes", "macs"),
    [
        ("ij,jk->ik", [(2, 3), (3, 4)], 24),
        ("ba,cb", [(2, 3), (4, 2)], 24),
        ("ii->i", [(3, 3)], 0),
        ("ij->", [(2, 3)], 0),
        ("bhqd,bhkd->bhqk", [(1, 2, 3, 4), (1, 2, 5, 4)], 120),
        (" bi , ij , bj -> b ", [(2, 3), (3, 4), (2, 4)], 2 * 3 * 4 + 2 * 4),
    ],
)
def test_einsum_sums_over_the_letters_that_are_left_out(tmp_path, equation, shapes, macs):
    arrays = [numbers(*shape, seed=seed) for seed, shape in enumerate(shapes)]
    given, _, out = equation.replace(" ", "").partition("->")
    terms = given.split(",")
    letters = sorted(set(given) - {","})
    out = out if "->" in equation else "".join(c for c in letters if given.count(c) == 1)
    sizes = {
        c: n for term, shape in zip(terms, shapes, strict=True) for c, n in zip(term, shape, strict=True)
    }
    wanted = np.zeros([sizes[c] for c in out])
    for places in product(*(range(sizes[c]) for c in letters)):
        at = dict(zip(letters, places, strict=True))
        factors = [array[tuple(at[c] for c in term)] for array, term in zip(arrays, terms, strict=True)]
        wanted[tuple(at[c] for c in out)] += np.prod(factors)
    np.testing.assert_allclose(ran(tmp_path, "Einsum", arrays, {"equation": equation}), wanted, atol=1e-5)
    node = helper.make_node(
        "Einsum", [f"t{place}" for place in range(len(shapes))], ["out"], equation=equation
    )
    model = made([node], {f"t{place}": shape for place, shape in enumerate(shapes)}, ["out"])
    assert networks.load(saved(tmp_path, model)).totals()["macs"] == macs


def test_einsum_with_axes_in_front(tmp_path):
    a, b = numbers(2, 1, 3, 4), numbers(5, 4, 2)
    ours = ran(tmp_path, "Einsum", [a, b], {"equation": "...ij,...jk->...ik"})
    np.testing.assert_allclose(ours, a @ b, atol=1e-5)
    text = refusal(tmp_path, "Einsum", [a, b], {"equation": "ij,jk->ik"})
    assert "'ij' of the equation ij,jk->ik does not fit the input 2x1x3x4" in text
    assert "is not an einsum; write one such as 'ij,jk->ik'" in refusal(
        tmp_path, "Einsum", [a, b], {"equation": "i1,jk"}
    )


def cubic(d, a=-0.75):
    """Return the weight of an element at a distance: Keys (1981), equation 4."""
    d = abs(d)
    if d <= 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a if d < 2 else 0.0


KERNELS = {
    "linear": (lambda d: max(0.0, 1 - abs(d)), 1),
    "cubic": (cubic, 2),
}


def mirrored(place, low, high):
    """Return a position reflected at both ends."""
    while not low <= place <= high:
        place = 2 * low - place if place < low else 2 * high - place
    return place


def brought(place, n, beyond, corners):
    """Return a position clipped to the border or reflected."""
    if beyond == "reflection":
        place = mirrored(place, 0 if corners else -0.5, n - 1 if corners else n - 0.5)
    return place if beyond == "zeros" else min(max(place, 0), n - 1)


@pytest.mark.parametrize("corners", [0, 1])
@pytest.mark.parametrize("beyond", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_grid_sample(tmp_path, mode, beyond, corners):
    x = numbers(1, 2, 4, 3)
    grid = np.random.default_rng(3).uniform(-1.6, 1.6, (1, 3, 2, 2)).astype(np.float32)
    wanted = np.zeros((1, 2, 3, 2))
    for a, b in np.ndindex(3, 2):
        axes = []
        for n, g in zip((4, 3), grid[0, a, b, ::-1].astype(float), strict=True):
            place = (g + 1) / 2 * (n - 1) if corners else ((g + 1) * n - 1) / 2
            if mode != "cubic":
                place = brought(place, n, beyond, corners)
            if mode == "nearest":
                axes.append({round(place): 1.0})
                continue
            weight, reach = KERNELS[mode]
            near = range(int(np.floor(place)) - reach + 1, int(np.floor(place)) + reach + 1)
            found = {}
            for each in near:
                at = round(brought(each, n, beyond, corners)) if mode == "cubic" else each
                found[at] = found.get(at, 0) + weight(place - each)
            axes.append(found)
        for (i, u), (j, v) in product(axes[0].items(), axes[1].items()):
            if 0 <= i < 4 and 0 <= j < 3:
                wanted[0, :, a, b] += u * v * x[0, :, i, j]
    options = {"mode": mode, "padding_mode": beyond, "align_corners": corners}
    np.testing.assert_allclose(ran(tmp_path, "GridSample", [x, grid], options, opset=20), wanted, atol=1e-4)


def weights(x, y, n, m):
    """Return the four neighbours of a position with their weights; empty if it lies outside."""
    if not (-1 <= y <= n and -1 <= x <= m):
        return []
    y, x = min(max(y, 0), n - 1), min(max(x, 0), m - 1)
    i, j = int(y), int(x)
    u, v = y - i, x - j
    return [
        ((i, j), (1 - u) * (1 - v)),
        ((i, min(j + 1, m - 1)), (1 - u) * v),
        ((min(i + 1, n - 1), j), u * (1 - v)),
        ((min(i + 1, n - 1), min(j + 1, m - 1)), u * v),
    ]


@pytest.mark.parametrize(("mode", "samples", "aligned"), list(product(("avg", "max"), (0, 2), (False, True))))
def test_roi_align(tmp_path, mode, samples, aligned):
    x = numbers(2, 3, 7, 8)
    boxes, items = np.float32([[1.3, 2.1, 9.4, 8.8], [-3, -2, 4, 5.5], [10, 6, 15, 13]]), ints(0, 1, 1)
    wanted = np.zeros((3, 3, 2, 3))
    for number, (box, item) in enumerate(zip(boxes.astype(float) * 0.5, items, strict=True)):
        x1, y1, x2, y2 = box - (0.5 if aligned else 0)
        width, height = x2 - x1, y2 - y1
        if not aligned:
            width, height = max(width, 1), max(height, 1)
        high, wide = height / 2, width / 3
        rows, columns = (samples, samples) if samples else (int(np.ceil(high)), int(np.ceil(wide)))
        for a, b, c in np.ndindex(3, 2, 3):
            total, largest = 0.0, -np.inf
            for p, q in np.ndindex(rows, columns):
                y = y1 + b * high + (p + 0.5) * high / rows
                place = x1 + c * wide + (q + 0.5) * wide / columns
                parts = [x[item, a, i, j] * w for (i, j), w in weights(place, y, 7, 8)] or [0.0]
                total, largest = total + sum(parts), max(largest, *parts)
            wanted[number, a, b, c] = total / (rows * columns) if mode == "avg" else largest
    options = {
        "mode": mode,
        "sampling_ratio": samples,
        "output_height": 2,
        "output_width": 3,
        "spatial_scale": 0.5,
    }
    options["coordinate_transformation_mode"] = "half_pixel" if aligned else "output_half_pixel"
    np.testing.assert_allclose(ran(tmp_path, "RoiAlign", [x, boxes, items], options), wanted, atol=1e-4)
    assert "a box belongs to batch item 2, but the batch has 2 item(s)" in refusal(
        tmp_path, "RoiAlign", [x, boxes, ints(0, 1, 2)], options
    )


def overlap(one, two):
    """Return the intersection over union of two boxes, y1, x1, y2, x2."""
    sides = [max(0.0, min(one[k + 2], two[k + 2]) - max(one[k], two[k])) for k in (0, 1)]
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, two)]
    return sides[0] * sides[1] / (sum(areas) - sides[0] * sides[1])


@pytest.mark.parametrize(("most", "centred"), [(2, 0), (100, 1)])
def test_non_max_suppression_keeps_the_best_of_those_that_overlap(tmp_path, most, centred):
    random = np.random.default_rng(5)
    corners = random.uniform(0, 1, (2, 12, 2))
    boxes = np.concatenate([corners, corners + random.uniform(0.2, 0.6, (2, 12, 2))], axis=2)
    scores = random.uniform(0, 1, (2, 3, 12)).astype(np.float32)
    wanted = []
    for item, number in np.ndindex(2, 3):
        left = [each for each in range(12) if scores[item, number, each] > 0.2]
        left.sort(key=lambda each: -scores[item, number, each])
        kept = []
        while left and len(kept) < most:
            best = left.pop(0)
            kept.append([item, number, best])
            left = [each for each in left if overlap(boxes[item, best], boxes[item, each]) <= 0.4]
        wanted += kept
    given = boxes[..., [2, 1, 0, 3]]  # corners may be in any order
    if centred:
        given = np.concatenate(
            [(boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]], axis=2
        )
    numbers_of = [[ints(most)], [np.float32([0.4])], [np.float32([0.2])]]
    inputs = [given.astype(np.float32), scores, *numbers_of]
    ours = ran(tmp_path, "NonMaxSuppression", inputs, {"center_point_box": centred})
    assert ours.tolist() == wanted
    none = ran(tmp_path, "NonMaxSuppression", [*inputs[:2], [ints(0)]])
    assert none.shape == (0, 3)


def test_non_zero(tmp_path):
    x = np.round(numbers(3, 4))
    wanted = [[a, b] for a, b in np.ndindex(3, 4) if x[a, b]]
    assert ran(tmp_path, "NonZero", [x]).T.tolist() == wanted
    truths = np.array([True, False, True])
    assert np.array_equal(ran(tmp_path, "Compress", [x, truths], {"axis": 1}), x[:, [0, 2]])
    assert np.array_equal(ran(tmp_path, "Compress", [x, truths]), x.ravel()[[0, 2]])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def by_steps(kind, x, w, r, b, h, c, lengths, backwards, peephole, reset_after):
    """Return the outputs and the last states of one direction, computed one item, step and unit at a time."""
    time, items, _ = x.shape
    size = r.shape[1]
    y, h, c = np.zeros((time, items, size)), h.astype(float).copy(), c.astype(float).copy()
    for item in range(items):
        order = range(lengths[item])
        for step in reversed(order) if backwards else order:
            from_x, from_h = w @ x[step, item] + b[: len(w)], r @ h[item] + b[len(w) :]
            if kind == "RNN":
                h[item] = np.tanh(from_x + from_h)
            elif kind == "GRU":
                z, reset = sigmoid((from_x + from_h)[: 2 * size]).reshape(2, size)
                last = r[2 * size :] @ (reset * h[item]) + b[len(w) + 2 * size :]
                new = np.tanh(from_x[2 * size :] + (reset * from_h[2 * size :] if reset_after else last))
                h[item] = (1 - z) * new + z * h[item]
            else:
                i, o, f, g = (from_x + from_h).reshape(4, size)
                pi, po, pf = peephole.reshape(3, size)
                c[item] = sigmoid(f + pf * c[item]) * c[item] + sigmoid(i + pi * c[item]) * np.tanh(g)
                h[item] = sigmoid(o + po * c[item]) * np.tanh(c[item])
            y[step, item] = h[item]
    return y, h, c


@pytest.mark.parametrize("hidden", [1, 3])
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize(("kind", "gates"), [("RNN", 1), ("GRU", 3), ("LSTM", 4)])
def test_recurrent_layers_step_by_step(tmp_path, kind, gates, direction, hidden):
    both = 1 + (direction == "bidirectional")
    x, w, r = (
        numbers(4, 2, 3),
        numbers(both, gates * hidden, 3),
        numbers(both, gates * hidden, hidden, seed=1),
    )
    b, h, c = (
        numbers(both, 2 * gates * hidden),
        numbers(both, 2, hidden, seed=2),
        numbers(both, 2, hidden, seed=3),
    )
    peepholes, lengths = numbers(both, 3 * hidden, seed=4), np.array([4, 2], np.int32)
    reset_after = kind == "GRU" and direction == "reverse"
    parts = [
        by_steps(
            kind,
            x,
            w[d],
            r[d],
            b[d],
            h[d],
            c[d],
            lengths,
            direction == "reverse" or d,
            peepholes[d],
            reset_after,
        )
        for d in range(both)
    ]
    wanted = (
        np.stack([y for y, _, _ in parts], axis=1),
        *(np.stack(each) for each in list(zip(*parts, strict=True))[1:]),
    )
    inputs = [x, [w], [r], [b], lengths, h, *([c, [peepholes]] if kind == "LSTM" else [])]
    options = {"hidden_size": hidden, "direction": direction}
    if kind == "GRU":
        options["linear_before_reset"] = int(reset_after)
    names = ("y", "h", "c")[: 3 if kind == "LSTM" else 2]
    ours = ran(tmp_path, kind, inputs, options, opset=14, outputs=names)
    for name, one, two in zip(names, ours, wanted, strict=False):
        np.testing.assert_allclose(one, two, atol=1e-5, err_msg=name)


def test_functions_of_recurrent_layers(tmp_path):
    x, w, r = numbers(2, 1, 2), numbers(1, 2, 2), numbers(1, 2, 2, seed=1)
    options = {"hidden_size": 2, "activations": ["LeakyRelu"], "activation_alpha": [0.3]}
    y, _ = ran(tmp_path, "RNN", [x, [w], [r]], options, outputs=("y", "h"))
    h = np.zeros(2)
    for step in range(2):
        h = w[0] @ x[step, 0] + r[0] @ h
        h = np.where(h > 0, h, 0.3 * h)
        np.testing.assert_allclose(y[step, 0, 0], h, atol=1e-5)
    options["activations"] = ["Affine"]
    assert "its activation Affine is not supported" in refusal(
        tmp_path, "RNN", [x, [w], [r]], options, outputs=("y", "h")
    )
    text = refusal(tmp_path, "RNN", [x, [w], [r[:, :1]]], {"hidden_size": 2}, outputs=("y", "h"))
    assert "its recurrence has shape (1, 1, 2), not (1, 2, 2)" in text
