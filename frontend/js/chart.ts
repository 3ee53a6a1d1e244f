// Charts over time: uPlot behind a few calls. Colours come from the registered custom properties of the console.
import uPlot from "uplot";

export interface Spec {
  height: number;
  /** Charts with the same key share the cursor. */
  sync: string;
  series: { label: string; colour: string; fill: boolean }[];
  threshold: { value: number; label: string } | null;
  unit: string;
}

export interface Mark {
  at: number;
  label: string;
}

export interface Hooks {
  /** The index under the cursor, or -1. */
  onCursor: (index: number) => void;
  /** Somebody dragged a range, in milliseconds. */
  onRange: (from: number, to: number) => void;
  /** Words for a value, with its unit. */
  format: (value: number, unit: string) => string;
}

const root = document.documentElement;
const colour = (name: string) => getComputedStyle(root).getPropertyValue(name).trim() || "currentColor";

/** A role may be `light-dark(…)`, which a canvas does not know: let the browser resolve it. */
function resolved(name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  probe.hidden = true;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

const FONT = "12px Inter, system-ui, sans-serif";

export class Chart {
  private plot: uPlot;
  private marks: Mark[] = [];
  private data: uPlot.AlignedData;
  private readonly resize: ResizeObserver;
  private readonly theme: MutationObserver;

  constructor(
    private readonly parent: HTMLElement,
    private readonly spec: Spec,
    private readonly hooks: Hooks,
  ) {
    this.data = [[], ...spec.series.map(() => [])] as unknown as uPlot.AlignedData;
    this.plot = this.make();
    this.resize = new ResizeObserver(() => this.plot.setSize({ width: this.width(), height: spec.height }));
    this.resize.observe(parent);
    this.theme = new MutationObserver(() => this.again());
    this.theme.observe(root, { attributes: true, attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.again);
  }

  private width(): number {
    return Math.max(this.parent.clientWidth, 80);
  }

  /** Colours are baked into a plot, so another theme is another plot. */
  private again = (): void => {
    this.plot.destroy();
    this.plot = this.make();
  };

  private make(): uPlot {
    const { spec } = this;
    const label = resolved("--chart-label");
    const grid = { stroke: resolved("--chart-grid"), width: 1 };
    const axis = { font: FONT, stroke: label, ticks: { show: false } };
    const options: uPlot.Options = {
      width: this.width(),
      height: spec.height,
      legend: { show: false },
      padding: [14, 16, 0, 0],
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false },
        points: { size: 7, width: 2, stroke: resolved("--surface-page") },
        sync: { key: spec.sync },
      },
      scales: { x: { time: true }, y: { range: (_, low, high) => this.range(low, high) } },
      axes: [
        { ...axis, size: 24, gap: 4, space: 72, grid: { show: false }, border: { show: true, stroke: resolved("--chart-axis"), width: 1 }, values: (_, ticks) => ticks.map(clock) },
        { ...axis, size: (_, values) => axisWidth(values), gap: 6, space: 40, grid, values: (_, ticks) => ticks.map((tick) => this.hooks.format(tick, spec.unit)) },
      ],
      series: [
        {},
        ...spec.series.map((series) => ({
          label: series.label,
          stroke: colour(series.colour),
          width: 1.5,
          spanGaps: false,
          // One figure alone makes no line.
          points: { show: (plot: uPlot, index: number) => Array.from(plot.data[index] ?? []).filter((value) => value != null).length === 1 },
          ...(series.fill ? { fill: `color-mix(in srgb, ${colour(series.colour)} 12%, transparent)` } : {}),
        })),
      ],
      hooks: {
        draw: [(plot) => this.drawOver(plot)],
        setCursor: [(plot) => this.hooks.onCursor(plot.cursor.idx ?? -1)],
        setSelect: [(plot) => this.selected(plot)],
      },
    };
    return new uPlot(options, this.data, this.parent);
  }

  /** From zero, and never flat: a chart of constant nothing still has a scale. */
  private range(low: number, high: number): [number, number] {
    const top = Math.max(high ?? 0, this.spec.threshold?.value ?? 0, 1e-9);
    return [Math.min(low ?? 0, 0), top * 1.1];
  }

  private selected(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < 6) return;
    const from = plot.posToVal(left, "x");
    const to = plot.posToVal(left + width, "x");
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.hooks.onRange(Math.round(from * 1000), Math.round(to * 1000));
  }

  private drawOver(plot: uPlot): void {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.font = `${12 * ratio}px Inter, system-ui, sans-serif`;
    ctx.lineWidth = ratio;
    ctx.textAlign = "left";
    ctx.textBaseline = "middle";
    const { threshold } = this.spec;
    if (threshold) {
      const y = plot.valToPos(threshold.value, "y", true);
      ctx.strokeStyle = ctx.fillStyle = resolved("--chart-threshold");
      ctx.setLineDash([5 * ratio, 3 * ratio]);
      line(ctx, bbox.left, y, bbox.left + bbox.width, y);
      ctx.fillText(threshold.label, bbox.left + 8 * ratio, y - 8 * ratio);
    }
    ctx.strokeStyle = ctx.fillStyle = resolved("--chart-event");
    let free = 0;
    for (const mark of this.marks) {
      const x = plot.valToPos(mark.at / 1000, "x", true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.setLineDash([3 * ratio, 3 * ratio]);
      line(ctx, x, bbox.top, x, bbox.top + bbox.height);
      diamond(ctx, x, bbox.top, 4 * ratio);
      // A word that would lie over the one before is left out; the diamond stays.
      if (x < free) continue;
      const width = ctx.measureText(mark.label).width;
      const before = x + 8 * ratio + width > bbox.left + bbox.width;
      ctx.fillText(mark.label, before ? x - width - 8 * ratio : x + 8 * ratio, bbox.top);
      free = x + width + 16 * ratio;
    }
    ctx.restore();
  }

  /** `values[i]` belongs to series i; null is a gap. Times are milliseconds. */
  setData(json: string): void {
    const { times, values, marks, from, to } = JSON.parse(json) as {
      times: number[];
      values: (number | null)[][];
      marks: Mark[];
      from: number;
      to: number;
    };
    this.marks = marks;
    this.data = [times.map((time) => time / 1000), ...values] as uPlot.AlignedData;
    this.plot.batch(() => {
      this.plot.setData(this.data, true);
      this.plot.setScale("x", { min: from / 1000, max: to / 1000 });
    });
  }

  destroy(): void {
    this.resize.disconnect();
    this.theme.disconnect();
    matchMedia("(prefers-color-scheme: dark)").removeEventListener("change", this.again);
    this.plot.destroy();
  }
}

function clock(seconds: number): string {
  const date = new Date(seconds * 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return date.getSeconds() === 0 ? time : `${time}:${two(date.getSeconds())}`;
}

function line(ctx: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}

/** As wide as its longest label, so that "1 min 40 s" is not cut; never narrower than the usual one. */
function axisWidth(values: string[] | null): number {
  const longest = Math.max(0, ...(values ?? []).map((value) => value?.length ?? 0));
  return Math.max(52, longest * 6.6 + 14);
}

function diamond(ctx: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  ctx.beginPath();
  ctx.moveTo(x, y - size);
  ctx.lineTo(x + size, y);
  ctx.lineTo(x, y + size);
  ctx.lineTo(x - size, y);
  ctx.fill();
}

export function create(parent: HTMLElement, spec: string, hooks: Hooks): Chart {
  return new Chart(parent, JSON.parse(spec) as Spec, hooks);
}
