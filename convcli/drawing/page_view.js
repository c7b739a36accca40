// The view of the page: draws the steps and handles keys, the slider and the fields.
"use strict";

(() => {
  const { compute, number, shown, range, kindOf, valueAt, paddedAt, rounded } = convcli;
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const state = { stages: [], step: 0, shownStage: -1, timer: null, layer: data.layer };

  // Drawing, as in step_scene.py

  const WIDTH = 46, HEIGHT = 32, SKEW = 13, MARGIN = 14, GAP = 34, RISE = 46;
  const widest = () => Math.min(1200, Math.max(420, 1.3 * document.body.clientWidth)); // width for planes side by side
  const element = (name, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const words = (x, y, text, size, colour, anchor = "middle") =>
    element("text", { x, y, dy: ".35em", "font-size": size, "text-anchor": anchor, class: `f-${colour}` }, text);
  const value = (x, y, given, colour) => {
    const text = shown(number(given));
    return words(x, y, text, Math.min(15, (WIDTH - 4) / (text.length * 0.58)).toFixed(1), colour);
  };
  const brief = (given) => {
    const text = shown(number(given));
    return text.length <= 6 ? text : rounded(number(given), 2);
  };
  const polygon = (points, classes, more = {}) =>
    element("polygon", { points: points.map((point) => point.map((n) => n.toFixed(1)).join(",")).join(" "), class: classes, ...more });

  const corner = (plane, row, column) => [plane.x + column * WIDTH + (plane.rows - row) * SKEW, plane.y + row * HEIGHT];
  const cell = (plane, row, column, rows = 1, columns = 1) => [
    corner(plane, row, column), corner(plane, row, column + columns),
    corner(plane, row + rows, column + columns), corner(plane, row + rows, column)];
  const centre = (plane, row, column) => corner(plane, row + 0.5, column + 0.5);

  function placed(count, rows, columns) {
    const wide = columns * WIDTH + rows * SKEW;
    const fit = Math.max(1, Math.floor((widest() + GAP) / (wide + GAP)));
    const each = Math.ceil(count / Math.ceil(count / fit));
    const bands = range(Math.ceil(count / each)).map((band) => Math.min(each, count - band * each));
    return { wide, bands, rows, columns, breadth: each * wide + (each - 1) * GAP };
  }

  function planes(group, width, top) {
    const found = [];
    for (const count of group.bands) {
      let x = (width - (count * group.wide + (count - 1) * GAP)) / 2;
      for (const _ of range(count)) {
        found.push({ x, y: top, rows: group.rows, columns: group.columns });
        x += group.wide + GAP;
      }
      top += group.rows * HEIGHT + GAP;
    }
    return { found, bottom: top - GAP };
  }

  function layOut(stage) {
    const above = placed(stage.output_shape[0], stage.output_shape[1], stage.output_shape[2]);
    const below = placed(stage.input_shape[0], stage.rows.length, stage.columns.length);
    const width = Math.max(above.breadth, below.breadth, 240) + 2 * MARGIN;
    const outputs = planes(above, width, MARGIN + 16);
    const inputs = planes(below, width, outputs.bottom + RISE);
    return { width, height: inputs.bottom + 24, above: outputs.found, below: inputs.found,
      rays: above.bands.length === 1 && below.bands.length === 1 };
  }

  function drawBase(stage) {
    const layout = layOut(stage), svg = $("picture");
    svg.setAttribute("viewBox", `0 0 ${layout.width.toFixed(1)} ${layout.height.toFixed(1)}`);
    svg.style.maxWidth = `${Math.round(layout.width * 1.5)}px`;
    svg.replaceChildren();
    const caption = (plane, name, channel, count, atBottom) => {
      const [x, y] = atBottom ? corner(plane, plane.rows, 0) : corner(plane, 0, plane.columns);
      const text = count > 1 ? `${name} ${channel}` : name;
      svg.append(words(x, y + (atBottom ? 11 : -11), text, 12.5, "faint", atBottom ? "start" : "end"));
    };
    layout.below.forEach((plane, channel) => {
      caption(plane, "input", channel, layout.below.length, true);
      const cells = range(plane.rows).flatMap((row) => range(plane.columns).map((column) => [row, column]));
      for (const wanted of [false, true]) for (const [row, column] of cells) {
        const kind = kindOf(stage, row, column);
        if ((kind === "input") !== wanted) continue;
        const name = wanted ? "input" : "padding";
        svg.append(polygon(cell(plane, row, column), `f-${name} e-${name}-edge`, wanted ? {} : { "stroke-dasharray": "4 4" }));
        const padded = paddedAt(stage, channel, row, column);
        if (kind !== "padding" || padded !== null) svg.append(value(...centre(plane, row, column), valueAt(stage, channel, row, column) ?? padded ?? 0, `${name}-ink`));
      }
    });
    state.outputs = stage.steps.map((step, index) => {
      const [channel, row, column] = step.output, plane = layout.above[channel];
      const group = element("g", { class: "output", id: `output-${index}` });
      group.append(polygon(cell(plane, row, column), ""), value(...centre(plane, row, column), step.result, "output-ink"));
      svg.append(group);
      return group;
    });
    layout.above.forEach((plane, channel) => caption(plane, "output", channel, layout.above.length, false));
    state.outputs.forEach((group, number) => group.addEventListener("click", () => { pause(); show(begun(stage) + number); }));
    state.now = element("g", {});
    svg.append(state.now);
    state.layout = layout;
  }

  const turn = (a, b, c) => (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
  function hull(points) {
    const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    return [sorted, [...sorted].reverse()].flatMap((ordered) => {
      const chain = [];
      for (const point of ordered) {
        while (chain.length > 1 && turn(chain.at(-2), chain.at(-1), point) <= 0) chain.pop();
        chain.push(point);
      }
      return chain.slice(0, -1);
    });
  }

  const real = (given) => { const { n, d } = number(given); return Number(n) / Number(d); };

  function drawNow(stage, step, index) {
    const { layout, now } = state;
    state.outputs.forEach((group, number) => {
      const kind = number < index ? "output" : number === index ? "current" : "waiting";
      const [shape, text] = group.children;
      shape.setAttribute("class", `f-${kind} e-${kind}-edge`);
      shape.setAttribute("stroke-width", kind === "current" ? 2 : 1);
      if (kind === "waiting") shape.setAttribute("stroke-dasharray", "4 4"); else shape.removeAttribute("stroke-dasharray");
      text.setAttribute("class", `f-${kind === "waiting" ? "output" : kind}-ink`);
      text.setAttribute("visibility", kind === "waiting" ? "hidden" : "visible");
    });
    now.before(state.outputs[index]); // its edge is drawn over those of its neighbours
    now.replaceChildren();
    const [o, y, x] = step.output, target = cell(layout.above[o], y, x);
    const channels = [...new Set(step.terms.map(({ channel }) => channel))];
    for (const channel of layout.rays ? channels : []) {
      const own = step.terms.filter((term) => term.channel === channel);
      const [rows, columns] = [own.map(({ row }) => real(row)), own.map(({ column }) => real(column))];
      const [top, left] = [Math.min(...rows), Math.min(...columns)];
      const window = cell(layout.below[channel], top, left, Math.max(...rows) + 1 - top, Math.max(...columns) + 1 - left);
      now.append(polygon(hull([...window, ...target]), "f-ray", { opacity: channels.length === 1 ? 0.1 : 0.06 }));
      window.forEach(([x1, y1], side) => {
        const [x2, y2] = target[side];
        now.append(element("line", { x1, y1, x2, y2, class: "e-ray", opacity: 0.45 }));
      });
    }
    for (const term of step.terms) {
      const plane = layout.below[term.channel], [row, column] = [real(term.row), real(term.column)];
      const [middle, height] = centre(plane, row, column);
      if (stage.layer.startsWith("deform")) {
        now.append(element("ellipse", { cx: middle, cy: height, rx: 10.8, ry: 8, class: "f-window e-window-edge" }));
        now.append(words(middle, height, shown(number(term.value)), 11.5, "window-ink"));
        continue;
      }
      const inside = valueAt(stage, term.channel, row, column) !== null, kind = inside ? "window" : "padding-window";
      now.append(polygon(cell(plane, row, column), `f-${kind} e-window-edge`));
      const apart = term.weight === null ? 0 : 1;
      now.append(value(middle - 5 * apart, height - 4 * apart, term.value, `${kind}-ink`));
      if (apart) {
        const text = `×${brief(term.weight)}`, size = Math.min(11.5, (WIDTH - 8) / (text.length * 0.58)).toFixed(1);
        now.append(words(middle + WIDTH / 2 - 9, height + 9, text, size, inside ? "weight-ink" : "padding-weight-ink", "end"));
      }
    }
  }

  // Steps

  const total = () => state.stages.reduce((sum, stage) => sum + stage.steps.length, 0);
  const begun = (wanted) => state.stages.slice(0, state.stages.indexOf(wanted)).reduce((sum, stage) => sum + stage.steps.length, 0);
  function found(step) {
    for (const [place, stage] of state.stages.entries()) {
      if (step < stage.steps.length) return [place, step];
      step -= stage.steps.length;
    }
    throw new RangeError(`there is no step ${step}`);
  }

  const aloud = (text) => text.replaceAll("*", " times ").replaceAll("+", "plus").replaceAll("=", "equals")
    .replace(/\(-/g, "(minus ").replace(/ -/g, " minus ").replaceAll(" / ", " divided by ").replaceAll("^", " to the power of ");

  function show(step) {
    state.step = Math.min(Math.max(step, 0), total() - 1);
    const [place, index] = found(state.step), stage = state.stages[place], now = stage.steps[index];
    if (place !== state.shownStage) {
      drawBase(stage);
      state.shownStage = place;
      $("layer").textContent = stage.layer;
      $("shapes").textContent = `${stage.input_shape.join(" × ")} to ${stage.output_shape.join(" × ")}`;
      $("rotated").hidden = !stage.rotated;
    }
    drawNow(stage, now, index);
    const [o, y, x] = now.output;
    const where = `row ${y}, column ${x}` + (stage.output_shape[0] > 1 ? `, channel ${o}` : "");
    const counted = `step ${state.step + 1} of ${total()}`;
    $("where").textContent = `${counted}: output ${where}`;
    $("sums").replaceChildren(...now.arithmetic.map((line) => {
      const paragraph = document.createElement("p");
      paragraph.textContent = line.replaceAll("*", "×");
      return paragraph;
    }));
    $("aloud").textContent = `${counted}, output ${where}: ${aloud(now.arithmetic.join("; "))}`;
    $("slider").max = total() - 1;
    $("slider").value = state.step;
    $("slider").setAttribute("aria-valuetext", `${counted}: output ${where} is ${shown(number(now.result))}`);
    $("picture").setAttribute("aria-label", `${stage.layer}: the window of output ${where}`);
    $("back").disabled = state.step === 0;
    $("next").disabled = state.step === total() - 1;
  }

  function pause() {
    clearTimeout(state.timer);
    state.timer = null;
    $("play").textContent = "Play";
    $("aloud").setAttribute("aria-live", "polite");
  }

  function play() {
    const last = state.step === total() - 1;
    const tick = () => {
      show(state.step === total() - 1 ? 0 : state.step + 1);
      wait();
    };
    const wait = () => { state.timer = setTimeout(tick, 1000 * data.delay * (state.step === total() - 1 ? 2.5 : 1)); };
    $("play").textContent = "Pause";
    $("aloud").setAttribute("aria-live", "off"); // a screen reader could not keep up
    if (last) show(0);
    wait();
  }

  const toggle = () => (state.timer === null ? play() : pause());
  const go = (step) => { pause(); show(step); };

  $("back").addEventListener("click", () => go(state.step - 1));
  $("next").addEventListener("click", () => go(state.step + 1));
  $("play").addEventListener("click", toggle);
  $("slider").addEventListener("input", () => go(Number($("slider").value)));
  const KEYS = {
    ArrowLeft: () => go(state.step - 1), ArrowRight: () => go(state.step + 1),
    Home: () => go(0), End: () => go(total() - 1), " ": toggle,
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
    if (event.target.closest("input[type=text]")) return; // text fields need all of these keys
    if (event.target.closest(event.key === " " ? "button" : "input")) return; // buttons need Space, the slider the others
    event.preventDefault();
    KEYS[event.key]();
  });

  // Fields, in the notation of the command line

  const whole = (text, least) => {
    if (!/^\d{1,4}$/.test(text) || Number(text) < least) throw new RangeError(`${JSON.stringify(text)} is not a whole number of at least ${least}`);
    return Number(text);
  };
  const perAxis = (text, dims, read) => {
    const parts = text.trim().split("x");
    if (parts.length !== 1 && parts.length !== dims) throw new RangeError(`${JSON.stringify(text)} has ${parts.length} axes where ${dims} are needed`);
    const values = parts.map(read);
    return parts.length === 1 ? [0, 1].map(() => values[0]) : dims === 1 ? [undefined, values[0]] : values;
  };
  const NAMES = ["valid", "same", "same-lower", "full"];
  const READERS = {
    size: (text, dims) => perAxis(text, dims, (part) => whole(part, 1)),
    kernel: (text, dims) => perAxis(text, dims, (part) => whole(part, 1)),
    stride: (text, dims) => perAxis(text, dims, (part) => whole(part, 1)),
    dilation: (text, dims) => perAxis(text, dims, (part) => whole(part, 1)),
    padding: (text, dims) => (NAMES.includes(text.trim()) ? text.trim() : perAxis(text, dims, (part) => {
      const sides = part.split(":").map((side) => whole(side, 0));
      if (sides.length > 2) throw new RangeError(`${JSON.stringify(part)} is not a padding; write 1, or before:after such as 1:2`);
      return sides.length === 1 ? [sides[0], sides[0]] : sides;
    })),
  };
  const OF_ONE_ROW = { size: 1, kernel: 1, stride: 1, dilation: 1, padding: [0, 0] };

  function read() {
    const { dims } = data.layer;
    const layer = { ...data.layer };
    for (const [name, reader] of Object.entries(READERS)) {
      const values = reader($(name).value, dims);
      layer[name] = dims === 1 && Array.isArray(values) ? [OF_ONE_ROW[name], values[1]] : values;
    }
    if (layer.kind === "convT") {
      layer.extra = layer.extra.map((extra, axis) => (extra < Math.max(layer.stride[axis], layer.dilation[axis]) ? extra : 0));
      if (typeof layer.padding === "string" && layer.padding.startsWith("same")) layer.extra = [0, 0];
    }
    return layer;
  }

  function recompute() {
    let stages;
    try {
      state.layer = read();
      stages = compute(state.layer);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      $("problem").textContent = `${error.message}.`;
      return;
    }
    $("problem").textContent = "";
    pause();
    Object.assign(state, { stages, shownStage: -1 });
    show(0);
  }

  // Increase or decrease all numbers in a field; the name of a padding becomes 0 first.
  function counted(name, by) {
    const field = $(name), least = name === "padding" ? 0 : 1;
    if (NAMES.includes(field.value.trim())) field.value = "0";
    field.value = field.value.replace(/\d+/g, (digits) => Math.max(least, Number(digits) + by));
    recompute();
  }

  if (data.layer) {
    $("fields").hidden = false;
    for (const name of Object.keys(READERS)) {
      $(name).addEventListener("change", recompute);
      $(`${name}-less`).addEventListener("click", () => counted(name, -1));
      $(`${name}-more`).addEventListener("click", () => counted(name, 1));
    }
    $("fields").addEventListener("submit", (event) => { event.preventDefault(); recompute(); });
  }

  addEventListener("resize", () => {
    state.shownStage = -1; // the number of planes side by side may change
    show(state.step);
  });
  state.stages = data.stages ?? compute(data.layer);
  show(data.step - 1);
  if (!still.matches && data.step === 1) play(); else pause();
})();
