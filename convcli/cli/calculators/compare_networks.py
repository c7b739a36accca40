"""convcli compare NETWORK: a network with its convolutions replaced by variants, or several networks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from convcli import __version__
from convcli.cli.calculators.answer_rows import ratio
from convcli.cli.calculators.network_answer import network_result, network_rows
from convcli.errors import cut
from convcli.layers.variants import BASELINE, VARIANTS
from convcli.networks.chain_network import load_network_or_chain
from convcli.networks.replace_convs import Replaced, replace_convs
from convcli.networks.rows import Row
from convcli.render import Answer, in_units

if TYPE_CHECKING:
    from convcli.networks.network import Network

COUNTED = ("params", "weights", "multiplications", "additions", "macs", "flops")  # each with its ratio
SHOWN = ("params", "macs", "flops")
MEGA = 10**6
MAX_NAMED = 4


def compare_variants(
    text: str, shapes: Any, variants: Sequence[str], options: dict[str, Any], *, batch: int, dtype: str
) -> Answer:
    """Return the cost of a network with its k x k convolutions replaced by each variant, the standard one first."""
    network = load_network_or_chain(text, shapes, **options).at(batch=batch)
    bound = network.shapes(batch=batch)
    made = [
        (variant, replace_convs(network, variant, bound)) for variant in dict.fromkeys((BASELINE, *variants))
    ]
    rows: list[Row] = []
    for variant, each in made:
        counted = network_rows(each.network, batch, dtype)
        whole = network_result(each.network, counted)
        dense = sum(row["macs"] or 0 for row in counted if row["layer"].startswith(("dense", "linear")))
        rows.append(
            {
                **whole,
                "name": network.name,
                "variant": variant,
                "replaced": len(each.replaced),
                "kept": sum(map(len, each.kept.values())),
                "dense_macs": dense,
            }
        )
    rows = [row | _ratios(row, rows[0], COUNTED) for row in rows]
    return Answer(
        command="compare",
        version=__version__,
        rows=rows,
        results=[row for row in rows if row["variant"] in variants],
        totals={},
        columns=("variant", "replaced", *(column for name in SHOWN for column in (name, f"{name}_ratio"))),
        value=("macs_ratio",),
        remarks=[*_about(network, rows), *_replacements(made)],
        draw=lambda: picture(rows, "variant", f"{network.name}, its convolutions replaced", network.source),
    )


def compare_side_by_side(
    texts: Sequence[str], shapes: Any, options: dict[str, Any], *, batch: int, dtype: str
) -> Answer:
    """Return the cost of several networks, each also as a ratio to the first."""
    rows: list[Row] = []
    remarks = []
    for text in texts:
        network = load_network_or_chain(text, shapes, **options)
        whole = network_result(network, network_rows(network, batch, dtype))
        rows.append({"network": network.name, "nodes": len(network.nodes), **whole, "name": network.name})
        if network.source:
            remarks.append(f"{network.name}: {network.source}")
    rows = [row | _ratios(row, rows[0], COUNTED) for row in rows]
    return Answer(
        command="compare",
        version=__version__,
        rows=rows,
        results=rows,
        totals={},
        columns=("network", "nodes", "params", "params_ratio", "macs", "macs_ratio", "activation_bytes"),
        value=("macs_ratio",),
        remarks=[*remarks, "ratio: relative to the first row"],
        draw=lambda: picture(rows, "network", ", ".join(texts), "each as a multiple of the first"),
    )


def picture(rows: Sequence[Row], key: str, title: str, subtitle: str) -> Any:
    """Return the drawing of a comparison."""
    from convcli.drawing.compare_drawing import compare_scene

    fields = ("params", "macs", "activation_bytes")
    return compare_scene(rows, key, fields, title, subtitle)


def _ratios(row: Row, first: Row, names: Sequence[str]) -> Row:
    ratios = {f"{name}_ratio": ratio(row[name], first[name]) for name in names}
    return {**ratios, "ratio": ratios["macs_ratio"]}


def _about(network: "Network", rows: Sequence[Row]) -> list[str]:
    """Return lines about the network, and about the dense layers that no variant replaces."""
    lines = [f"{network.name}: {network.source}" if network.source else network.name]
    dense = rows[0]["dense_macs"]
    if dense:
        million = in_units(dense, MEGA)
        others = ", ".join(f"{row['variant']} {_millions(row['macs'] - dense)}" for row in rows)
        lines.append(
            f"its dense layers are not replaced: {million} M of the MACs of every row; without them {others}"
        )
    return lines


def _millions(count: int) -> str:
    return f"{(count + MEGA // 2) // MEGA:,} M"


def _replacements(made: Sequence[tuple[str, Replaced]]) -> list[str]:
    """Return lines about each variant and the convolutions that it replaces; those that none replaces come first."""
    first, *others = (each.kept for _, each in made)
    always = {why: names for why, names in first.items() if all(kept.get(why) == names for kept in others)}
    lines = [f"never replaced: {_named(names)}: {why}" for why, names in always.items()]
    for variant, each in made:
        parts = [f"{variant}: {VARIANTS[variant].help}"]
        if each.replaced:
            parts.append(f"Replaced: {_named(each.replaced)}.")
        if each.already:
            parts.append(f"Already of this variant: {_named(each.already)}.")
        if not each.replaced and not each.already:
            parts.append("No convolution is replaced.")
        lines.append(" ".join(parts))
        kept = {why: names for why, names in each.kept.items() if why not in always}
        lines += [f"{variant}, not replaced: {_named(names)}: {why}" for why, names in kept.items()]
    return lines


def _named(names: Sequence[str]) -> str:
    listed = ", ".join(cut(name, 80) for name in names[:MAX_NAMED])
    return f"{listed} and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else listed
