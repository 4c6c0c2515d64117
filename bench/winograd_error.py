#!/usr/bin/env python3
"""The rounding errors of winograd.comp and of matrix_winograd, emulated: how the tables in docs/performance-log.md were
made. Needs numpy.

    bench/winograd_error.py              every filter that is offered, and F(6, 3), which is not
    bench/winograd_error.py 8,5 6,3      these: points and taps
    bench/winograd_error.py --matrix     on matrix units, in two fp16 parts (matrix_winograd)

Prints, for sums over K in-channels (and taps of depth and height), the largest error as a multiple of that of fp32
multiply-adds, on the same data: the mean and the worst of several draws, and the ratio of the root mean squares. Then, for
outputs at the end of a row, which one tap reaches while its neighbours take all, the largest error as a share of the
bound (K + 2) * 2^-24 * sum |x * w|.
"""
import sys

import numpy as np

PAIRS = {4: (1.0,), 6: (0.625, 1.5), 8: (1.0, 2.0, 0.5)}  # the points of shaders/winograd.glsl
FILTERS = ((4, 2), (4, 3), (6, 3), (6, 4), (6, 5), (8, 4), (8, 5), (8, 6), (8, 3))


def fma(a, b, c):
    return (np.asarray(a, np.float64) * np.asarray(b, np.float64) + c).astype(np.float32)


def product_polynomial(points):
    """The coefficients of prod (z^2 - p^2) in z^2, lowest first."""
    coefficients = [1.0]
    for p in points:
        shifted = [0.0] + coefficients
        coefficients = [s - p * p * c for s, c in zip(shifted, coefficients + [0.0])]
    return coefficients


def evaluate(coefficients, values):
    total = values[-1]
    for coefficient, value in zip(coefficients[-2::-1], values[-2::-1]):
        total = fma(coefficient, value, total)
    return total


def transform_input(x, points):
    every = product_polynomial(PAIRS[points])
    result = [evaluate(every, x[0:2 * len(every):2])]
    for p in PAIRS[points]:
        others = product_polynomial([q for q in PAIRS[points] if q != p])
        even, odd = evaluate(others, x[2:2 + 2 * len(others):2]), evaluate(others, x[1:1 + 2 * len(others):2])
        result += [fma(p, odd, even), fma(-p, odd, even)]
    return result + [evaluate(every, x[1:1 + 2 * len(every):2])]


def transform_weights(g, points):
    g = list(g) + [np.zeros_like(g[0])] * (8 - len(g))
    taps = max(j for j in range(8) if np.any(g[j] != 0)) + 1
    divide = lambda a, b: (a / np.float32(b)).astype(np.float32)
    result = [divide(g[0], product_polynomial(PAIRS[points])[0])]
    for p in PAIRS[points]:
        divisor = 2 * p * p * np.prod([p * p - q * q for q in PAIRS[points] if q != p])
        even = fma(p * p, fma(p * p, fma(p * p, g[6], g[4]), g[2]), g[0])
        odd = fma(p * p, fma(p * p, fma(p * p, g[7], g[5]), g[3]), g[1])
        result += [divide(fma(p, odd, even), divisor), divide(fma(-p, odd, even), divisor)]
    return result + [g[taps - 1]]


def transform_output(m, points, outputs):
    result = []
    for i in range(outputs):
        total = np.zeros_like(m[0])
        for k, p in enumerate(PAIRS[points]):
            total = fma(p**i, fma((-1.0)**i, m[2 + 2 * k], m[1 + 2 * k]), total)
        if i == 0:
            total = total + m[0]
        if i == outputs - 1:
            total = total + m[points - 1]
        result.append(total)
    return result


def draw_errors(points, taps, terms, draw, tiles, channels, missing=0):
    """Errors and bounds by output: of Winograd and of multiply-adds. missing: inputs before the row begins."""
    outputs = points - taps + 1
    m = [np.zeros((tiles, channels), np.float32)] * points
    direct = [np.zeros((tiles, channels), np.float32)] * outputs
    exact = np.zeros((outputs, tiles, channels))
    magnitude = np.zeros((outputs, tiles, channels))
    for _ in range(terms):
        x = [draw(tiles).astype(np.float32)[:, None] * np.float32(i >= missing) for i in range(points)]
        g = [draw(channels).astype(np.float32)[None, :] for _ in range(taps)]
        v, u = transform_input(x, points), transform_weights(g, points)
        m = [fma(v[k], u[k], m[k]) for k in range(points)]
        for i in range(outputs):
            for j in range(taps):
                product = x[i + j].astype(np.float64) * g[j]
                exact[i] += product
                magnitude[i] += abs(product)
                direct[i] = (product + direct[i]).astype(np.float32)
    y = transform_output(m, points, outputs)
    return abs(np.array(y) - exact), abs(np.array(direct) - exact), (terms + 2) * 2.0**-24 * magnitude


def split(x):
    """The two parts of shaders/split.glsl."""
    high = x.astype(np.float16).astype(np.float32)
    return high, ((x - high) * np.float32(2048)).astype(np.float16).astype(np.float32)


def cut_off(x):
    """To fp32 towards zero, as matrix units add."""
    nearest = x.astype(np.float32)
    return np.where(abs(nearest.astype(np.float64)) > abs(x), np.nextafter(nearest, np.float32(0)), nearest)


def multiply_split(v, u):
    """[terms, tiles] times [terms, channels] as matrix_window.comp multiplies: sums of three products for 16 in-channels at
    once, cut off, of at most 8 times 16 in-channels from zero on; these sums are added up in fp32."""
    scale = np.exp2(3 - np.floor(np.log2(abs(u).max(axis=0)))).astype(np.float32)
    (v_high, v_low), (u_high, u_low) = split(v), split(u * scale)
    total = np.zeros((v.shape[1], u.shape[1]), np.float32)
    for begin in range(0, len(v), 128):
        partial = np.zeros_like(total)
        for first in range(begin, min(begin + 128, len(v)), 16):
            part = slice(first, first + 16)
            for a, b in ((v_low, u_high), (v_high, u_low), (v_high, 2048 * u_high)):
                partial = cut_off(partial.astype(np.float64) + a[part].astype(np.float64).T @ b[part].astype(np.float64))
        total = total + partial
    return total * (1 / scale) * np.float32(1 / 2048)


def draw_matrix_errors(points, taps, terms, draw, tiles, channels, missing=0):
    """draw_errors for matrix_winograd."""
    outputs = points - taps + 1
    x = [draw((terms, tiles)).astype(np.float32) * np.float32(i >= missing) for i in range(points)]
    g = [draw((terms, channels)).astype(np.float32) for _ in range(taps)]
    v, u = transform_input(x, points), transform_weights(g, points)
    y = np.array(transform_output([multiply_split(v[k], u[k]) for k in range(points)], points, outputs))
    exact, magnitude = np.zeros(y.shape), np.zeros(y.shape)
    direct = np.zeros(y.shape, np.float32)
    for i in range(outputs):
        for j in range(taps):
            a, b = x[i + j].astype(np.float64), g[j].astype(np.float64)
            exact[i] += a.T @ b
            magnitude[i] += abs(a).T @ abs(b)
            for k in range(terms):
                direct[i] = (a[k][:, None] * b[k] + direct[i]).astype(np.float32)
    products = terms * (taps - missing)
    return abs(y - exact), abs(direct - exact), (products + 2) * 2.0**-24 * magnitude


def print_row_ends(errors_of, points, taps, products, random):
    """Of outputs that one tap alone reaches."""
    for terms in products:
        shares = []
        for draw in (random.standard_normal, random.random):
            error, _, bound = errors_of(points, taps, terms, draw, 2000, 16, missing=taps - 1)
            shares.append((error[0] / bound[0]).max())
        print(f"F({points - taps + 1}, {taps}) end of a row, {terms} products: {shares[0]:.2f} of the bound for N(0, 1), "
              f"{shares[1]:.2f} for U[0, 1)", flush=True)


def print_matrix_errors(wanted, random):
    for points, taps in wanted:
        name = f"F({points - taps + 1}, {taps})"
        for terms in (16, 32, 64, 128, 256, 480):
            for draw in (random.standard_normal, random.random):
                ratios, shares = [], []
                for _ in range(12 if terms < 100 else 6):
                    error, direct, bound = draw_matrix_errors(points, taps, terms, draw, 400, 64)
                    ratios.append(error.max() / direct.max())
                    shares.append((error / bound).max())
                print(f"{name} {draw.__name__}, K = {terms}: largest error {np.mean(ratios):.2f} (worst {max(ratios):.2f}) "
                      f"times that of multiply-adds, at most {max(shares):.3f} of the bound", flush=True)
        print_row_ends(draw_matrix_errors, points, taps, (32, 64, 96, 128, 192, 256, 384), random)


def main():
    arguments = [text for text in sys.argv[1:] if text != "--matrix"]
    wanted = [tuple(map(int, text.split(","))) for text in arguments] or FILTERS
    random = np.random.default_rng(1)
    if "--matrix" in sys.argv:
        print_matrix_errors(wanted, random)
        return
    for points, taps in wanted:
        name = f"F({points - taps + 1}, {taps})"
        for terms in (16, 32, 64, 480):
            ratios, squares = [], []
            for _ in range(12 if terms < 100 else 4):
                error, direct, _ = draw_errors(points, taps, terms, random.standard_normal, 300, 64)
                ratios.append(error.max() / direct.max())
                squares.append((error**2).mean()**0.5 / (direct**2).mean()**0.5)
            print(f"{name} N(0, 1), K = {terms}: largest error {np.mean(ratios):.2f} (worst {max(ratios):.2f}) times that "
                  f"of multiply-adds, root mean square {np.mean(squares):.2f}", flush=True)
        print_row_ends(draw_errors, points, taps, (32, 64, 96, 192, 256), random)


if __name__ == "__main__":
    main()
