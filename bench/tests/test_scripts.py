#!/usr/bin/env python3
"""compare_torch.py and draw.py on made-up results: ratios, means, losses and refusals."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

bench = pathlib.Path(__file__).resolve().parents[1]


def vktconv_row(name, dtype, ms, floor_ms=1.0, status="PASSED", layout=""):
    row = dict(name=name, status=status, reason="" if status == "PASSED" else "wrong", dtype=dtype,
               descriptor=layout + f'ic1iw1_oc1kw1_n"{name}_olast"',
               algorithm="gather", tile="", floor_ms=floor_ms)
    if ms is not None:
        row["median_ms"] = ms
    return row


VKTCONV = dict(device="Made-up <GPU>", driver="driver 1", api_version="1.3.0", library_version="0.1.0", git_commit="abc",
               date="2026-01-02T03:04:05Z", ceilings={}, rows=[
                   vktconv_row("a", "f32", 2.0), vktconv_row("a", "f32", 1.5), vktconv_row("b", "f32", 8.0),
                   vktconv_row("c", "f32", None, status="SKIPPED"), vktconv_row("d", "f32", 400.0, 0.01),
                   vktconv_row("a", "f16", 1.0, 0.5), vktconv_row("a", "f16", 0.25, 0.5, layout="ilast_olast_")])
TORCH = dict(gpu="Made-up <GPU>", torch="2", cudnn=9, rows=[
    dict(name="a", fp32=6.0, tf32=3.0, fp16=4.0, fp16_cl=0.5), dict(name="b", fp32=8.0 * 4, fp32_cl=4.0, tf32=1.0),
    dict(name="c", fp32=1.0, tf32=1.0)])


class Scripts(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)

    def compare(self, vktconv=VKTCONV, *arguments):
        (self.path / "v.json").write_text(json.dumps(vktconv))
        (self.path / "t.json").write_text(json.dumps(TORCH))
        return self.run_script("compare_torch.py", "--torch-results", self.path / "t.json", "--vktconv-results",
                               self.path / "v.json", "--out", self.path / "c.json", *arguments)

    def run_script(self, script, *arguments):
        return subprocess.run([sys.executable, "-B", str(bench / script), *map(str, arguments)], capture_output=True,
                              text=True, check=False)

    def test_comparison(self):
        done = self.compare()
        self.assertEqual(done.returncode, 0, done.stderr)
        result = json.loads((self.path / "c.json").read_text())
        rows = {(row["name"], row["dtype"]): row for row in result["rows"] if row["layout"] == "channels_first"}
        last = [row for row in result["rows"] if row["layout"] == "channels_last"]
        self.assertEqual([(row["name"], row["dtype"], row["ratios"]) for row in last], [("a", "f16", {"fp16": 2.0})])
        self.assertEqual(rows["a", "f32"]["vktconv_ms"], 1.5)  # the faster of two algorithms
        self.assertEqual(rows["a", "f32"]["ratios"], {"fp32": 4.0, "tf32": 2.0})
        self.assertEqual(rows["b", "f32"]["ratios"], {"fp32": 0.5, "tf32": 0.125})  # the faster memory format
        self.assertEqual(rows["a", "f16"]["ratios"], {"fp16": 0.5})
        self.assertEqual(rows["c", "f32"]["ratios"], {})
        self.assertEqual(rows["d", "f32"]["ratios"], {})  # PyTorch was not measured
        mean = result["geometric_means"]["f32 channels_first against fp32"]
        self.assertAlmostEqual(mean["geometric_mean"], 2**0.5)
        self.assertEqual((mean["faster"], mean["slower"]), (1, 1))
        self.assertIn("SKIPPED: wrong", done.stdout)
        self.assertFalse(list(self.path.glob("*.part")))

    def test_wrong_result_is_reported(self):
        wrong = dict(VKTCONV, rows=[vktconv_row("a", "f32", 1.0, status="FAILED")])
        done = self.compare(wrong)
        self.assertEqual(done.returncode, 1)
        self.assertIn("wrong results: a", done.stderr)

    def test_unknown_dtype(self):
        done = self.compare(VKTCONV, "--dtype", "f64")
        self.assertEqual(done.returncode, 2)
        self.assertIn("f64", done.stderr)

    def test_unknown_layout(self):
        done = self.compare(VKTCONV, "--layout", "channels_first,nhwc")
        self.assertEqual(done.returncode, 2)
        self.assertIn("nhwc", done.stderr)

    def test_drawing_both_layouts(self):
        self.compare()
        done = self.run_script("draw.py", self.path / "c.json", self.path / "c.svg", "--dtype", "f16")
        self.assertEqual(done.returncode, 0, done.stderr)
        drawing = (self.path / "c.svg").read_text()
        for bar in ("a, vktconv: 1 ms", "a, vktconv channels-last: 250 us", "a, cuDNN fp16: 500 us"):
            self.assertIn(bar, drawing)

    def test_table(self):
        self.compare()
        done = self.run_script("table.py", self.path / "c.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertIn("| a | 1.5 | 6 | 4.00 | 3 | 2.00 | 1 | 0.25 | 0.5 | 2.00 |", lines)  # the faster layout counts
        self.assertIn("| d | 400 | - | - | - | - | - | - | - | - |", lines)
        self.assertIn("| cuDNN fp32 | 1.41 (quicker on 1 of 2) | - | 1.41 (quicker on 1 of 2) |", lines)

    def test_drawing(self):
        self.compare()
        done = self.run_script("draw.py", self.path / "c.json", self.path / "c.svg")
        self.assertEqual(done.returncode, 0, done.stderr)
        root = xml.etree.ElementTree.parse(self.path / "c.svg").getroot()
        space = "{http://www.w3.org/2000/svg}"
        bars = [bar.find(space + "title").text for bar in root.iter(space + "rect") if bar.find(space + "title") is not None]
        self.assertIn("a, vktconv: 1.5 ms", bars)
        self.assertIn("b, cuDNN fp32: 4 ms", bars)  # a loss is drawn, too
        self.assertIn("d, floor (measured ceilings): 10 us", bars)
        self.assertEqual(len(bars), 4 + 4 + 2)
        lengths = {bar.find(space + "title").text: float(bar.get("width")) for bar in root.iter(space + "rect")
                   if bar.find(space + "title") is not None}
        # Logarithmic: equal ratios are equal distances.
        self.assertAlmostEqual(lengths["b, vktconv: 8 ms"] - lengths["b, cuDNN fp32: 4 ms"],
                               lengths["a, cuDNN fp32: 6 ms"] - lengths["a, cuDNN TF32: 3 ms"], delta=0.2)
        labels = [label.text for label in root.iter(space + "text")]
        self.assertTrue(any("Made-up <GPU>" in label for label in labels if label))

    def test_nothing_to_draw(self):
        self.compare()
        done = self.run_script("draw.py", self.path / "c.json", self.path / "c.svg", "--dtype", "bf16")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no measured rows", done.stderr)


if __name__ == "__main__":
    unittest.main()
