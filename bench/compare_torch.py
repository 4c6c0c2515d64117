#!/usr/bin/env python3
"""Compare vktconv with PyTorch (cuDNN) on one machine with a CUDA GPU.

    bench/compare_torch.py --out bench/results/compare.json
    bench/compare_torch.py --suite kb1 --match '68|79' --dtype f32,f16
    bench/compare_torch.py --dtype f16 --layout channels_first,channels_last
    bench/compare_torch.py --torch-results torch.json --vktconv-results vktconv.json     (measures nothing)

PyTorch: median of 10 CUDA-event timings after 3 warm-ups and 150 ms, each of as many calls as take a millisecond, so that launches
do not count; cudnn.benchmark on. fp32 is with TF32 off; tf32 is what PyTorch does by default in convolutions; *_cl is the
channels-last memory format. vktconv: vktconv-bench on the same problems, verified, in every layout that is asked for; each is
held against PyTorch's faster one. A ratio above 1 means that vktconv took less time.
"""
import argparse
import itertools
import json
import math
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

here = pathlib.Path(__file__).resolve().parent

LAYOUTS = ("channels_first", "channels_last")

# What each of our data types is held against: column, PyTorch's timings of which the fastest counts.
RIVALS = {
    "f32": [("fp32", ["fp32", "fp32_cl"]), ("tf32", ["tf32", "tf32_cl"])],
    "f16": [("fp16", ["fp16", "fp16_cl"])],
    "bf16": [("bf16", ["bf16", "bf16_cl"])],
}


def load_problems(suites, match):
    problems = []
    for suite in suites:
        path = pathlib.Path(suite) if pathlib.Path(suite).is_file() else here / "suites" / f"{suite}.json"
        problems += [p for p in json.loads(path.read_text())["problems"] if re.search(match, p["name"])]
    return problems


# ---- PyTorch --------------------------------------------------------------------------------------------------------


def per_axis(problem, key, default):
    value = problem.get(key, default)
    return tuple(value) if isinstance(value, list) else (value,) * len(problem["input"])


def is_symmetric(problem):
    """PyTorch has no asymmetric padding."""
    return problem.get("padding_begin") == problem.get("padding_end")


def median_ms(torch, call, repeats=10):
    warm_until = time.monotonic() + 0.15  # clocks rise under load only
    for turn in itertools.count():
        call()
        torch.cuda.synchronize()
        if turn >= 2 and time.monotonic() > warm_until:
            break

    def time_calls(count):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        for _ in range(count):
            call()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end) / count

    count = math.ceil(1 / max(time_calls(1), 1e-3))
    return statistics.median(time_calls(count) for _ in range(repeats))


def make_layer(torch, problem, dtype):
    rank = len(problem["input"])
    layer_type = [torch.nn.ConvTranspose1d, torch.nn.ConvTranspose2d, torch.nn.ConvTranspose3d][rank - 1]
    padding = per_axis(problem, "padding_begin" if "padding_begin" in problem else "padding", 0)
    return layer_type(problem["in_channels"], problem["out_channels"], per_axis(problem, "kernel", 1),
                      stride=per_axis(problem, "stride", 1), padding=padding,
                      output_padding=per_axis(problem, "output_padding", 0), dilation=per_axis(problem, "dilation", 1),
                      groups=problem.get("groups", 1), bias=problem.get("bias", False)).cuda().to(dtype)


def time_layer(torch, row, name, layer, x):
    """Adds the times of both memory formats to row; what does not fit in memory has none."""
    formats = {2: torch.channels_last, 3: torch.channels_last_3d}
    try:
        row[name] = median_ms(torch, lambda: layer(x))
        if x.dim() - 2 in formats:
            memory_format = formats[x.dim() - 2]
            layer, x = layer.to(memory_format=memory_format), x.to(memory_format=memory_format)
            row[name + "_cl"] = median_ms(torch, lambda: layer(x))
    except torch.cuda.OutOfMemoryError as error:
        print(f"{row['name']}: PyTorch {name}: {error}", file=sys.stderr)


def measure_torch(problems, data_types):
    import torch
    torch.backends.cudnn.benchmark = True
    result = dict(gpu=torch.cuda.get_device_name(), torch=torch.__version__, cudnn=torch.backends.cudnn.version(),
                  rows=[])
    with torch.no_grad():
        for problem in problems:
            if not is_symmetric(problem):
                print(f"{problem['name']}: PyTorch has no asymmetric padding; left out", file=sys.stderr)
                continue
            torch.cuda.empty_cache()
            row = dict(name=problem["name"])
            x = torch.rand(problem.get("batch", 1), problem["in_channels"], *problem["input"], device="cuda") * 2 - 1
            for name, tf32 in (("fp32", False), ("tf32", True)) if "f32" in data_types else ():
                torch.backends.cudnn.allow_tf32 = tf32
                time_layer(torch, row, name, make_layer(torch, problem, torch.float32), x)
            for name, data_type, dtype in (("fp16", "f16", torch.float16), ("bf16", "bf16", torch.bfloat16)):
                if data_type in data_types:
                    time_layer(torch, row, name, make_layer(torch, problem, dtype), x.to(dtype))
            result["rows"].append(row)
            print(json.dumps(row), file=sys.stderr)
            del x
        torch.cuda.empty_cache()
    return result


# ---- vktconv --------------------------------------------------------------------------------------------------------


def layout_of(row):
    return "channels_last" if "olast" in row["descriptor"].split('n"')[0].split("_") else "channels_first"


def measure_vktconv(args):
    results = [measure_layout(args, layout) for layout in args.layout]
    return dict(results[0], rows=[row for result in results for row in result["rows"]])


def measure_layout(args, layout):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "vktconv.json"
        command = [args.bench, "--dtype", ",".join(args.dtype), "-o", "json", "--out", str(out),
                   "--input-layout", layout, "--output-layout", layout]
        for suite in args.suite:
            command += ["--suite", suite]
        for option, value in (("--match", args.match), ("--device", args.device), ("--algorithm", args.algorithm)):
            if value:
                command += [option, value]
        code = subprocess.run(command, stdout=sys.stderr).returncode
        if code not in (0, 1):  # 1: a result FAILED; it is reported below
            sys.exit(f"compare_torch.py: {' '.join(command)} ended with exit code {code}")
        return json.loads(out.read_text())


# ---- comparison -----------------------------------------------------------------------------------------------------


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def compare(torch_result, vktconv_result, data_types):
    rivals = {row["name"]: row for row in torch_result["rows"]}
    fastest = {}  # where several algorithms were measured
    for row in vktconv_result["rows"]:
        key = (row["name"], row["dtype"], layout_of(row))
        if row["status"] == "PASSED" and row["median_ms"] < fastest.get(key, {}).get("median_ms", math.inf):
            fastest[key] = row
        elif key not in fastest and row["status"] != "PASSED":
            fastest[key] = row
    rows = []
    for (name, dtype, layout), ours in fastest.items():
        if dtype not in data_types:
            continue
        row = dict(name=name, dtype=dtype, layout=layout, status=ours["status"], descriptor=ours["descriptor"],
                   algorithm=ours["algorithm"], tile=ours["tile"], floor_ms=ours["floor_ms"],
                   vktconv_ms=ours.get("median_ms"), torch_ms={}, ratios={})
        if ours["status"] != "PASSED":
            row.update(vktconv_ms=None, reason=ours.get("reason", ""))
        for column, timings in RIVALS[dtype]:
            times = [rivals[name][t] for t in timings if rivals.get(name, {}).get(t)]
            if times:
                row["torch_ms"][column] = min(times)
                if row["vktconv_ms"]:
                    row["ratios"][column] = min(times) / row["vktconv_ms"]
        rows.append(row)
    means = {}
    for dtype in data_types:
        for layout in LAYOUTS:
            for column, _ in RIVALS[dtype]:
                ratios = [row["ratios"][column] for row in rows
                          if (row["dtype"], row["layout"]) == (dtype, layout) and column in row["ratios"]]
                if ratios:
                    means[f"{dtype} {layout} against {column}"] = dict(
                        geometric_mean=geometric_mean(ratios), problems=len(ratios), faster=sum(r > 1 for r in ratios),
                        slower=sum(r <= 1 for r in ratios))
    about = ("Times in ms. ratios: PyTorch's time / vktconv's, the faster memory format of PyTorch counts; above 1 "
             "vktconv took less time.")
    return dict(about=about, vktconv={k: v for k, v in vktconv_result.items() if k != "rows"},
                torch={k: v for k, v in torch_result.items() if k != "rows"}, geometric_means=means, rows=rows)


def number(value, form):
    return "-" if value is None else format(value, form)


def table(comparison, data_types):
    lines = [f"vktconv {comparison['vktconv'].get('library_version', '?')} "
             f"({comparison['vktconv'].get('git_commit', '?')}) on {comparison['vktconv'].get('device', '?')}; "
             f"PyTorch {comparison['torch'].get('torch', '?')}, cuDNN {comparison['torch'].get('cudnn', '?')} on "
             f"{comparison['torch'].get('gpu', '?')}"]
    for dtype, layout in itertools.product(data_types, LAYOUTS):
        rows = [row for row in comparison["rows"] if (row["dtype"], row["layout"]) == (dtype, layout)]
        if not rows:
            continue
        lines += ["", f"{dtype}, {layout}"]
        width = max(len(row["name"]) for row in rows)
        columns = [column for column, _ in RIVALS[dtype]]
        lines += [f"{'':<{width}} {'vktconv':>10} {'floor':>10} {'% floor':>8}"
                  + "".join(f" {column + ' ms':>10} {'ratio':>7}" for column in columns) + "  algorithm"]
        for row in rows:
            ms = row["vktconv_ms"]
            text = f"{row['name']:<{width}} {number(ms, '10.4f'):>10} {row['floor_ms']:>10.4f} " \
                   f"{number(row['floor_ms'] / ms * 100 if ms else None, '8.1f'):>8}"
            for column in columns:
                text += f" {number(row['torch_ms'].get(column), '10.4f'):>10} " \
                        f"{number(row['ratios'].get(column), '7.2f'):>7}"
            lines.append(f"{text}  {row['algorithm'] if ms else row['status'] + ': ' + row['reason']}")
    lines.append("")
    for name, mean in comparison["geometric_means"].items():
        lines.append(f"{name}: {mean['geometric_mean']:.2f}x by geometric mean of {mean['problems']} problems, "
                     f"faster on {mean['faster']}, slower on {mean['slower']}")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", action="append", help="suite files or names; default: kb1 and decoders")
    parser.add_argument("--match", default="", help="only problems whose name this regular expression finds")
    parser.add_argument("--dtype", default="f32,f16,bf16", help="of f32, f16, bf16")
    parser.add_argument("--layout", default="channels_first", help="of channels_first, channels_last; for vktconv-bench")
    parser.add_argument("--algorithm", help="for vktconv-bench; with several or all, the fastest counts")
    parser.add_argument("--device", help="for vktconv-bench")
    parser.add_argument("--bench", default=str(here.parent / "build/bin/vktconv-bench"), help="the program")
    parser.add_argument("--torch-results", type=pathlib.Path, help="take PyTorch's times from this file")
    parser.add_argument("--vktconv-results", type=pathlib.Path, help="take vktconv-bench's JSON from this file")
    parser.add_argument("--save-torch", type=pathlib.Path, help="write PyTorch's times to this file")
    parser.add_argument("--out", type=pathlib.Path, help="write the comparison as JSON, for draw.py")
    args = parser.parse_args()
    args.suite = args.suite or ["kb1", "decoders"]
    args.dtype = args.dtype.split(",")
    if unknown := set(args.dtype) - set(RIVALS):
        parser.error(f"--dtype: {', '.join(sorted(unknown))}: not of {', '.join(RIVALS)}")
    args.layout = args.layout.split(",")
    if unknown := set(args.layout) - set(LAYOUTS):
        parser.error(f"--layout: {', '.join(sorted(unknown))}: not of {', '.join(LAYOUTS)}")

    if args.torch_results:
        torch_result = json.loads(args.torch_results.read_text())
    else:
        torch_result = measure_torch(load_problems(args.suite, args.match), args.dtype)
    if args.save_torch:
        args.save_torch.write_text(json.dumps(torch_result, indent=1) + "\n")
    vktconv_result = json.loads(args.vktconv_results.read_text()) if args.vktconv_results else measure_vktconv(args)
    comparison = compare(torch_result, vktconv_result, args.dtype)
    print(table(comparison, args.dtype))
    if args.out:
        temporary = args.out.with_name(args.out.name + ".part")
        temporary.write_text(json.dumps(comparison, indent=1) + "\n")
        temporary.replace(args.out)
    failed = [row["name"] for row in comparison["rows"] if row["status"] == "FAILED"]
    if failed:
        sys.exit(f"compare_torch.py: wrong results: {', '.join(failed)}")


if __name__ == "__main__":
    main()
