// The steps of a layer. This file computes what convcli computes (layers/ and drawing/); page_view.js draws it.
"use strict";

const convcli = (() => {
  // Exact numbers: fractions of integers

  const gcd = (a, b) => (b ? gcd(b, a % b) : a < 0n ? -a : a);
  const fraction = (n, d) => {
    const sign = d < 0n ? -1n : 1n, common = gcd(n, d) || 1n;
    return { n: (sign * n) / common, d: (sign * d) / common };
  };
  const ZERO = fraction(0n, 1n);
  const number = (given) => {
    const [over, under] = String(given).split("/");
    return fraction(BigInt(over), BigInt(under || 1));
  };
  const times = (a, b) => fraction(a.n * b.n, a.d * b.d);
  const plus = (a, b) => fraction(a.n * b.d + b.n * a.d, a.d * b.d);
  const less = (a, b) => a.n * b.d < b.n * a.d;
  const plain = (a) => (a.d !== 1n ? `${a.n}/${a.d}` : Number.isSafeInteger(Number(a.n)) ? Number(a.n) : String(a.n));

  const rounded = (a, digits) => { // like the format .4g of Python for 4 digits
    const value = Number(a.n) / Number(a.d), [mantissa, exponent] = value.toExponential(digits - 1).split("e");
    const power = Number(exponent);
    const bare = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
    if (power >= -4 && power < digits) return bare(value.toFixed(digits - 1 - power));
    return `${bare(mantissa)}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  };
  const shown = (a) => {
    if (a.d === 1n && String(a.n).length <= 7) return String(a.n);
    const value = Number(a.n) / Number(a.d);
    if (a.d > 1n && 1000n % a.d === 0n && String(value).length <= 7) return String(value);
    if (a.d > 1n && `${a.n}/${a.d}`.length <= 5) return `${a.n}/${a.d}`;
    return rounded(a, 4);
  };

  const chosen = (levels, ...places) => {
    const modulus = 2 ** 31 - 1;
    let state = 1;
    for (const place of [...places, 0, 0]) {
      state = ((state + place + 1) * 48271) % modulus;
      state = (state * ((state % 1021) + 1)) % modulus;
    }
    return Math.floor(state / 8) % levels;
  };
  const INPUTS = [0, 1, 2, 3], WEIGHTS = [1, 2, 3];

  // Geometry: Dumoulin & Visin, "A guide to convolution arithmetic for deep learning"

  const MAX_CELLS = 32, MAX_PRODUCTS = 250000;
  const span = (k, d) => d * (k - 1) + 1;
  const range = (count) => Array.from({ length: count }, (_, index) => index);
  const halves = (total, name) => {
    const low = Math.floor(total / 2);
    return name === "same" ? [low, total - low] : [total - low, low];
  };

  function padsOf(layer, axis) {
    const [n, k, s, d] = [layer.size[axis], layer.kernel[axis], layer.stride[axis], layer.dilation[axis]];
    const padding = layer.padding;
    if (padding === "valid") return [0, 0];
    if (padding === "full") return [span(k, d) - 1, span(k, d) - 1];
    if (padding !== "same" && padding !== "same-lower") return padding[axis];
    if (layer.kind === "convT") {
      const total = layer.extra[axis] + span(k, d) - s;
      return total > 0 ? halves(total, padding) : [0, total];
    }
    return halves(Math.max(0, (Math.ceil(n / s) - 1) * s + span(k, d) - n), padding);
  }

  function axisOf(layer, axis) {
    const [n, k, s, d] = [layer.size[axis], layer.kernel[axis], layer.stride[axis], layer.dilation[axis]];
    const [before, after] = padsOf(layer, axis);
    const pool = layer.kind === "max" || layer.kind === "avg";
    if (pool && Math.max(before, after) >= span(k, d)) {
      throw new RangeError(`padding ${Math.max(before, after)} would put whole windows into the padding; pad by at most ${span(k, d) - 1}`);
    }
    let outputs, step, scale, low;
    if (layer.kind === "convT") {
      outputs = s * (n - 1) + span(k, d) + layer.extra[axis] - before - after;
      [step, scale, low] = [1, s, before - span(k, d) + 1];
    } else {
      const room = n + before + after - span(k, d);
      outputs = Math.floor((room + (layer.ceil ? s - 1 : 0)) / s) + 1;
      if (layer.ceil && (outputs - 1) * s >= n + before) outputs -= 1;
      [step, scale, low] = [s, 1, -before];
    }
    if (outputs < 1) throw new RangeError("the output would be empty; pad more, or use a smaller kernel");
    if (outputs > MAX_CELLS) throw new RangeError(`the output would be ${outputs} cells, but at most ${MAX_CELLS} on a side are drawn`);
    const place = (output, tap) => step * output + low + d * tap;
    const around = scale === 1 && layer.kind !== "convT" ? [before, after] : [0, 0];
    const first = Math.min(-around[0], place(0, 0), 0);
    const last = Math.max(scale * (n - 1) + around[1], place(outputs - 1, k - 1));
    if (last - first >= MAX_CELLS) throw new RangeError(`the input with its padding would be ${last - first + 1} cells, but at most ${MAX_CELLS} on a side are drawn`);
    return {
      line: { first, length: last - first + 1, scale, inputs: n },
      outputs, ends: [-before, n + after],
      cells: range(outputs).map((output) => range(k).map((tap) => place(output, tap) - first)),
    };
  }

  const kindAlong = (line, cell) => {
    const place = cell + line.first;
    if (place < 0 || place > line.scale * (line.inputs - 1)) return "padding";
    return place % line.scale ? "between" : "input";
  };
  const kindOf = (stage, row, column) => {
    const kinds = [kindAlong(stage.rows, row), kindAlong(stage.columns, column)];
    return ["padding", "between", "input"].find((kind) => kinds.includes(kind));
  };
  const valueAt = (stage, channel, row, column) => {
    if (kindOf(stage, row, column) !== "input") return null;
    const at = (line, cell) => (cell + line.first) / line.scale;
    return stage.inputs[channel][at(stage.rows, row)][at(stage.columns, column)];
  };

  const paddedAt = (stage, channel, row, column) => {
    const mode = stage.padding_mode;
    if (mode === "zeros" || kindOf(stage, row, column) !== "padding") return null;
    const source = (line, cell) => {
      const n = line.inputs, place = cell + line.first, turn = (period) => ((place % period) + period) % period;
      if (0 <= place && place < n) return place;
      if (mode === "constant") return null;
      if (mode === "replicate") return place < 0 ? 0 : n - 1;
      if (mode === "circular") return turn(n);
      const period = mode === "symmetric" ? 2 * n : Math.max(1, 2 * (n - 1));
      return Math.min(turn(period), period - (mode === "symmetric" ? 1 : 0) - turn(period));
    };
    const [y, x] = [source(stage.rows, row), source(stage.columns, column)];
    return y === null || x === null ? stage.padding_value : stage.inputs[channel][y][x];
  };

  // Sums

  function weightsOf(layer, outputs) {
    const sources = layer.inputs / layer.groups, own = layer.outputs / layer.groups;
    const [rows, columns] = [layer.kernel[0], layer.kernel[1]];
    const rotated = layer.flip !== (layer.kind === "convT");
    const sets = {
      shared: () => 0,
      tiled: (y, x) => (y % layer.tile[0]) * layer.tile[1] + (x % layer.tile[1]),
      local: (y, x) => y * outputs[1] + x,
    }[layer.sharing];
    const every = layer.kind === "convT"
      ? (o, y, x, c) => (Math.floor(o / own) * sources + c) * own + (o % own)
      : (o, y, x, c) => (sets(y, x) * layer.outputs + o) * sources + c;
    const numbering = { one: () => 0, outputs: (o) => o, sets: (o, y, x) => sets(y, x), pairs: (o, y, x, c) => every(o, 0, 0, c), every }[layer.kernels_are];
    return (o, y, x, c, i, j) => {
      const [row, column] = rotated ? [rows - 1 - i, columns - 1 - j] : [i, j];
      const given = layer.kernels[numbering(o, y, x, c)]?.[row]?.[column];
      return number(given ?? WEIGHTS[chosen(WEIGHTS.length, layer.seed, 2, every(o, y, x, c), row, column)]);
    };
  }

  function spelled(layer) {
    const axes = range(layer.dims).map((axis) => axis + 2 - layer.dims);
    const of = (values) => axes.map((axis) => values[axis]);
    const short = (values) => (new Set(of(values)).size === 1 ? `${of(values)[0]}` : of(values).join("x"));
    const pool = layer.kind === "max" || layer.kind === "avg";
    const depthwise = layer.kind === "conv" && layer.sharing === "shared" && layer.groups > 1 && layer.groups === layer.inputs;
    const operator = { shared: { conv: depthwise ? "dwconv" : "conv", convT: "convT", max: "maxpool", avg: "avgpool" }[layer.kind], tiled: "tiled", local: "local" }[layer.sharing];
    const words = [operator, `k${of(layer.kernel).join("x")}`];
    const said = (letters, text, usual) => text !== usual && words.push(letters + text);
    said("s", short(layer.stride), pool ? short(layer.kernel) : "1");
    if (typeof layer.padding === "string" && layer.padding.startsWith("same")) words.push(layer.padding);
    else {
      const sides = axes.map((axis) => padsOf(layer, axis)).map(([before, after]) => (before === after ? `${before}` : `${before}:${after}`));
      said("p", new Set(sides).size === 1 ? sides[0] : sides.join("x"), "0");
    }
    if (layer.kind === "convT") said("op", short(layer.extra), "0");
    said("d", short(layer.dilation), "1");
    if (!pool) {
      if (layer.sharing === "shared" && !depthwise) said("g", `${layer.groups}`, "1");
      if (layer.sharing === "tiled") words.push(`t${short(layer.tile)}`);
      if (!depthwise || layer.outputs !== layer.groups) words.push(`o${layer.outputs}`);
      if (!layer.bias) words.push("nobias");
    }
    if (layer.ceil) words.push("ceil");
    if (layer.kind === "avg" && !layer.include) words.push("nopad");
    return words.join(" ");
  }

  const enclosed = (text) => (text.startsWith("-") || text.includes("/") ? `(${text})` : text);
  const factor = (value) => enclosed(shown(value));
  const SIGN = { sum: (terms) => terms.map(({ value, weight }) => `${factor(value)}*${factor(weight)}`).join(" + "),
    max: (terms) => `max(${terms.map(({ value }) => shown(value)).join(", ")})`,
    mean: (terms) => `(${terms.map(({ value }) => factor(value)).join(" + ")}) / ${terms.length}` };

  function totalOf(operation, terms) {
    if (operation === "max") return terms.map(({ value }) => value).reduce((a, b) => (less(a, b) ? b : a));
    const total = terms.map(({ value, weight }) => (weight ? times(value, weight) : value)).reduce(plus, ZERO);
    return operation === "mean" ? times(total, fraction(1n, BigInt(terms.length))) : total;
  }

  function linesOf(operation, terms, result) {
    const channels = [...new Set(terms.map(({ channel }) => channel))];
    const whole = (own, total) => `${SIGN[operation](own)} = ${shown(total)}`;
    if (operation !== "sum" || channels.length < 2 || channels.length === terms.length) return [whole(terms, result)];
    const sums = channels.map((channel) => {
      const own = terms.filter((term) => term.channel === channel);
      return { channel, own, total: totalOf("sum", own) };
    });
    return [
      ...sums.map(({ channel, own, total }) => `channel ${channel}: ${whole(own, total)}`),
      `${sums.map(({ total }) => factor(total)).join(" + ")} = ${shown(result)}`,
    ];
  }

  // Return the steps of a layer, given as in page.py, in the format of `convcli draw -o steps.json`.
  function compute(layer) {
    for (const name of ["size", "kernel", "stride", "dilation"]) {
      if (layer[name].some((value) => !(value >= 1))) throw new RangeError(`the ${name} must be at least 1`);
    }
    if (layer.size.some((value) => value > MAX_CELLS)) throw new RangeError(`the input would be ${layer.size.join("x")} cells, but at most ${MAX_CELLS} on a side are drawn`);
    const axes = [0, 1].map((axis) => axisOf(layer, axis));
    const pool = layer.kind === "max" || layer.kind === "avg";
    const [height, width] = axes.map(({ outputs }) => outputs);
    const channels = pool ? layer.inputs : layer.outputs;
    const sources = pool ? 1 : layer.inputs / layer.groups;
    const count = channels * height * width * sources * layer.kernel[0] * layer.kernel[1];
    if (count > MAX_PRODUCTS) throw new RangeError(`there would be ${count} products, but at most ${MAX_PRODUCTS} are drawn`);
    const operation = { conv: "sum", convT: "sum", max: "max", avg: "mean" }[layer.kind];
    const stage = {
      layer: spelled(layer), operation, detail: "", kernel_size: [...layer.kernel],
      rotated: !pool && layer.flip !== (layer.kind === "convT"),
      padding_mode: layer.padding_mode, padding_value: layer.padding_value,
      input_shape: [layer.inputs, ...layer.size], output_shape: [channels, height, width],
      rows: axes[0].line, columns: axes[1].line,
      inputs: range(layer.inputs).map((c) => range(layer.size[0]).map((row) => range(layer.size[1]).map((column) =>
        plain(number(layer.values[c]?.[row]?.[column] ?? INPUTS[chosen(INPUTS.length, layer.seed, 1, c, row, column)]))))),
      steps: [],
    };
    const weight = pool ? null : weightsOf(layer, [height, width]);
    const own = pool ? 1 : layer.outputs / layer.groups;
    for (const o of range(channels)) for (const y of range(height)) for (const x of range(width)) {
      const terms = [];
      for (const c of range(sources)) {
        const channel = pool ? o : Math.floor(o / own) * sources + c;
        axes[0].cells[y].forEach((row, i) => axes[1].cells[x].forEach((column, j) => {
          const value = valueAt(stage, channel, row, column);
          const inside = [row, column].every((cell, axis) => {
            const place = cell + axes[axis].line.first;
            return axes[axis].ends[0] <= place && place < axes[axis].ends[1];
          });
          if (pool && value === null && !(layer.kind === "avg" && layer.include && inside)) return;
          terms.push({ channel, row, column, value: number(value ?? paddedAt(stage, channel, row, column) ?? 0), weight: pool ? null : weight(o, y, x, c, i, j) });
        }));
      }
      if (!terms.length) throw new RangeError(`output row ${y}, column ${x} sees only padding; use less padding or dilation`);
      const result = totalOf(operation, terms);
      stage.steps.push({
        output: [o, y, x],
        terms: terms.map((term) => ({ ...term, value: plain(term.value), weight: term.weight && plain(term.weight) })),
        result: plain(result), arithmetic: linesOf(operation, terms, result),
      });
    }
    return [stage];
  }

  return { compute, number, shown, range, kindOf, valueAt, paddedAt, rounded, chosen };
})();
