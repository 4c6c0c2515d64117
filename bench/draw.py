#!/usr/bin/env python3
"""Draw a comparison of compare_torch.py as an SVG bar chart. Needs nothing but Python.

    bench/draw.py bench/results/compare.json docs/compare.svg [--dtype f32] [--match REGEX]

One group of bars for each problem, on a logarithmic scale of time: vktconv in each layout that was measured, PyTorch with
cuDNN in its faster one, and the floor that the device's measured ceilings allow. Problems on which vktconv lost are drawn like the others and counted in the subtitle.
"""
import argparse
import json
import math
import pathlib
import re
import sys
from xml.sax.saxutils import escape

# Series by data type: title, colour, where a row has its time.
VKTCONV = ("vktconv", "#0072b2", lambda row: row["vktconv_ms"])
VKTCONV_LAST = ("vktconv channels-last", "#56b4e9", lambda row: row.get("channels_last_ms"))
FLOOR = ("floor (measured ceilings)", "#bbbbbb", lambda row: row["floor_ms"])


def torch_series(column, title, colour):
    return title, colour, lambda row: row["torch_ms"].get(column)


SERIES = {
    "f32": [VKTCONV, VKTCONV_LAST, torch_series("fp32", "cuDNN fp32", "#e69f00"), torch_series("tf32", "cuDNN TF32", "#cc79a7"), FLOOR],
    "f16": [VKTCONV, VKTCONV_LAST, torch_series("fp16", "cuDNN fp16", "#e69f00"), FLOOR],
    "bf16": [VKTCONV, VKTCONV_LAST, torch_series("bf16", "cuDNN bf16", "#e69f00"), FLOOR],
}

BAR, GAP, LEFT, RIGHT, TOP, BOTTOM, PLOT = 11, 12, 110, 80, 108, 40, 620


def time_text(ms):
    """Three significant digits in the unit that suits."""
    if ms < 1:
        return f"{ms * 1000:.3g} us"
    return f"{ms:.3g} ms" if ms < 1000 else f"{ms / 1000:.3g} s"


def text(x, y, content, anchor="start", size=11, weight="normal", colour="#222222"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" '
            f'fill="{colour}">{escape(content)}</text>')


def problem_rows(comparison, dtype, match):
    """A row for each problem, with the times of all layouts."""
    measured = [r for r in comparison["rows"] if r["dtype"] == dtype and r["vktconv_ms"] and re.search(match, r["name"])]
    rows = {}
    for r in measured:
        row = rows.setdefault(r["name"], dict(r, vktconv_ms=None))
        row["channels_last_ms" if r.get("layout") == "channels_last" else "vktconv_ms"] = r["vktconv_ms"]
    return list(rows.values())


def draw(comparison, dtype, match=""):
    rows = problem_rows(comparison, dtype, match)
    series = [s for s in SERIES[dtype] if any(s[2](row) for row in rows)]
    if not rows:
        raise ValueError(f"no measured rows of {dtype}" + (f" whose name matches {match}" if match else ""))
    times = [t for row in rows for _, _, time_of in series if (t := time_of(row))]
    low = 10 ** math.floor(math.log10(min(times)))
    high = 10 ** math.ceil(math.log10(max(times)) + 1e-9)
    decades = math.log10(high / low)

    def position(ms):
        return LEFT + PLOT * math.log10(ms / low) / decades

    group = BAR * len(series) + GAP
    height = TOP + group * len(rows) + BOTTOM
    width = LEFT + PLOT + RIGHT
    vktconv, torch = comparison["vktconv"], comparison["torch"]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="Helvetica, Arial, sans-serif">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        text(LEFT, 22, f"Transposed convolution, {dtype}: time on {vktconv['device']} (shorter is better, logarithmic)",
             size=15, weight="bold"),
    ]
    versions = (f"vktconv {vktconv['library_version']} ({vktconv['git_commit']}), {vktconv['driver']}; "
                f"PyTorch {torch['torch']}, cuDNN {torch['cudnn']}; {vktconv['date'][:10]}")
    means = [f"{mean['geometric_mean']:.2f}x {name.split(' ', 1)[1].replace('_', '-')} (slower on {mean['slower']} of "
             f"{mean['problems']})" for name, mean in comparison["geometric_means"].items() if name.startswith(dtype + " ")]
    parts.append(text(LEFT, 40, versions, colour="#555555"))
    for i in range(0, len(means), 2):
        parts.append(text(LEFT, 56 + 8 * i, "geometric mean: " + "; ".join(means[i:i + 2]), colour="#555555"))
    x = LEFT
    for title, colour, _ in series:
        parts += [f'<rect x="{x}" y="83" width="11" height="11" fill="{colour}"/>', text(x + 16, 93, title)]
        x += 34 + 6.2 * len(title)

    bottom = height - BOTTOM
    for decade in range(round(decades) + 1):
        ms = low * 10**decade
        parts += [f'<line x1="{position(ms):.1f}" y1="{TOP - 4}" x2="{position(ms):.1f}" y2="{bottom}" stroke="#dddddd"/>',
                  text(position(ms), bottom + 16, time_text(ms), "middle")]
    y = TOP
    for row in rows:
        parts.append(text(LEFT - 8, y + BAR * len(series) / 2 + 4, row["name"], "end"))
        for title, colour, time_of in series:
            ms = time_of(row)
            if ms:
                # The scale begins at a power of ten; the shortest bar still shows.
                length = max(position(ms) - LEFT, 2)
                parts += [f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR - 1}" fill="{colour}">'
                          f"<title>{escape(row['name'])}, {escape(title)}: {time_text(ms)}</title></rect>",
                          text(LEFT + length + 4, y + BAR - 2.5, time_text(ms), size=9,
                               weight="bold" if title.startswith("vktconv") else "normal")]
            y += BAR
        y += GAP
    parts += [f'<line x1="{LEFT}" y1="{TOP - 4}" x2="{LEFT}" y2="{bottom}" stroke="#222222"/>', "</svg>"]
    return "\n".join(parts) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("comparison", type=pathlib.Path, help="JSON that compare_torch.py wrote")
    parser.add_argument("svg", type=pathlib.Path)
    parser.add_argument("--dtype", choices=list(SERIES), default="f32")
    parser.add_argument("--match", default="", help="only problems whose name this regular expression finds")
    args = parser.parse_args()
    try:
        args.svg.write_text(draw(json.loads(args.comparison.read_text()), args.dtype, args.match))
    except (KeyError, ValueError) as error:
        sys.exit(f"draw.py: {args.comparison}: {error}")


if __name__ == "__main__":
    main()
