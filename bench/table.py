#!/usr/bin/env python3
"""Print comparisons of compare_torch.py as the Markdown table of the README. Needs nothing but Python.

    bench/table.py bench/results/h200-fp32.json bench/results/h200-fp16-bf16.json

Ratios: cuDNN's time in its faster memory layout / vktconv's in its faster one, of those that were measured.
"""
import json
import math
import pathlib
import sys

TYPES = (("f32", "fp32", ("fp32", "tf32")), ("f16", "fp16", ("fp16",)), ("bf16", "bf16", ("bf16",)))
TITLES = {"fp32": "cuDNN fp32", "tf32": "cuDNN TF32", "fp16": "cuDNN fp16", "bf16": "cuDNN bf16"}


def text(ms):
    return "-" if ms is None else f"{ms:.3g}"


def columns_of(rows, dtype):
    """Titles, and for each problem the cells; and the ratios by rival."""
    of_type = [dict(row, layout=row.get("layout", "channels_first")) for row in rows if row["dtype"] == dtype[0]]
    layouts = [layout for layout in ("channels_first", "channels_last") if any(r["layout"] == layout for r in of_type)]
    titles = [f"vktconv {dtype[1]}" + (" channels-last" if layout == "channels_last" else "") for layout in layouts]
    for rival in dtype[2]:
        titles += [TITLES[rival], "ratio"]
    cells, ratios = {}, {rival: {} for rival in dtype[2]}
    for name in dict.fromkeys(row["name"] for row in of_type):
        own = {row["layout"]: row for row in of_type if row["name"] == name}
        times = [own[layout]["vktconv_ms"] if layout in own else None for layout in layouts]
        best = min((ms for ms in times if ms), default=None)
        cells[name] = [text(ms) for ms in times]
        for rival in dtype[2]:
            theirs = next(iter(own.values()))["torch_ms"].get(rival)
            if theirs and best:
                ratios[rival][name] = theirs / best
            cells[name] += [text(theirs), f"{theirs / best:.2f}" if theirs and best else "-"]
    return titles, cells, ratios


def summary(ratios, select):
    chosen = [ratio for name, ratio in ratios.items() if select(name)]
    if not chosen:
        return "-"
    mean = math.exp(sum(map(math.log, chosen)) / len(chosen))
    return f"{mean:.2f} (quicker on {sum(r > 1 for r in chosen)} of {len(chosen)})"


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    rows = [row for path in sys.argv[1:] for row in json.loads(pathlib.Path(path).read_text())["rows"]]
    parts = [columns_of(rows, dtype) for dtype in TYPES if any(row["dtype"] == dtype[0] for row in rows)]
    titles = ["problem"] + [title for part in parts for title in part[0]]
    print("| " + " | ".join(titles) + " |\n" + "|---" * len(titles) + "|")
    for name in dict.fromkeys(row["name"] for row in rows):
        cells = [cell for part in parts for cell in part[1].get(name, ["-"] * len(part[0]))]
        print("| " + " | ".join([name] + cells) + " |")
    print("\n| geometric mean of the ratios | all | kb1 | decoders |\n|---|---|---|---|")
    for _, _, by_rival in parts:
        for rival, ratios in by_rival.items():
            means = [summary(ratios, select) for select in
                     (lambda name: True, lambda name: name.startswith("kb1."), lambda name: not name.startswith("kb1."))]
            print(f"| {TITLES[rival]} | " + " | ".join(means) + " |")


if __name__ == "__main__":
    main()
