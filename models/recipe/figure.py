"""The partition as a drawing: which films went where, with their counts (the paper's Figure 1), as SVG and PNG."""
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 1000, 470
LINE = 24
FONT = 17


@dataclass(frozen=True)
class Box:
    x: int
    y: int
    wide: int
    lines: tuple[str, ...]

    @property
    def high(self) -> int:
        return LINE * len(self.lines) + 22


def boxes_of(counts: Counter) -> list[Box]:
    """Sources above, parts below; in the order that `ARROWS` counts in."""
    def of(part: str, label: str) -> int:
        return counts[part, label]

    opacity, none = (of("training", label) + of("validation", label) for label in ("opacity", "none"))
    return [
        Box(60, 30, 420, ("ChestX-ray14, adjudicated labels", f"{opacity + none:,} films", f"airspace opacity {opacity:,} · none {none:,}")),
        Box(540, 30, 190, ("ChestX-ray14", "No Finding", f"{of('test', 'none'):,} films")),
        Box(770, 30, 190, ("Confirmed", "COVID-19", f"{of('test', 'covid'):,} films")),
        Box(40, 210, 210, ("Training, 70 %", f"opacity {of('training', 'opacity'):,}", f"none {of('training', 'none'):,}")),
        Box(290, 210, 210, ("Validation, 30 %", f"opacity {of('validation', 'opacity'):,}", f"none {of('validation', 'none'):,}")),
        Box(600, 210, 300, ("Test", f"COVID-19 {of('test', 'covid'):,} · none {of('test', 'none'):,}", "no patient of the training")),
        Box(40, 375, 460, ("ResNet-101, last three layers retrained",)),
        Box(600, 375, 300, ("ROC, sensitivity, specificity",)),
    ]


ARROWS = ((0, 3), (0, 4), (1, 5), (2, 5), (3, 6), (4, 6), (5, 7), (6, 7))


def ends(a: Box, b: Box) -> tuple[int, int, int, int]:
    """From the lower edge of a box to the upper edge of the next, or sideways where they stand side by side."""
    if a.y == b.y:
        return a.x + a.wide, a.y + a.high // 2, b.x, b.y + b.high // 2
    low, high = max(a.x, b.x), min(a.x + a.wide, b.x + b.wide)
    across = (low + high) // 2
    return across, a.y + a.high, across, b.y


def arrow_head(x0: int, y0: int, x1: int, y1: int) -> list[tuple[int, int]]:
    return [(x1, y1), (x1 - 10, y1 - 5), (x1 - 10, y1 + 5)] if y0 == y1 else [(x1, y1), (x1 - 5, y1 - 10), (x1 + 5, y1 - 10)]


def svg_of(counts: Counter) -> str:
    boxes = boxes_of(counts)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="{FONT}">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    for a, b in ARROWS:
        x0, y0, x1, y1 = ends(boxes[a], boxes[b])
        head = " ".join(f"{x},{y}" for x, y in arrow_head(x0, y0, x1, y1))
        parts.append(f'<path d="M{x0} {y0}L{x1} {y1}" stroke="black" stroke-width="1.5"/><polygon points="{head}"/>')
    for box in boxes:
        parts.append(f'<rect x="{box.x}" y="{box.y}" width="{box.wide}" height="{box.high}" fill="#eef3f8" stroke="black"/>')
        for i, line in enumerate(box.lines):
            y = box.y + 28 + LINE * i
            parts.append(f'<text x="{box.x + box.wide // 2}" y="{y}" text-anchor="middle">{escape(line)}</text>')
    return "\n".join([*parts, "</svg>\n"])


def png_of(counts: Counter) -> Image.Image:
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(FONT)
    boxes = boxes_of(counts)
    for a, b in ARROWS:
        line = ends(boxes[a], boxes[b])
        pen.line(line, "black", 2)
        pen.polygon(arrow_head(*line), "black")
    for box in boxes:
        pen.rectangle((box.x, box.y, box.x + box.wide, box.y + box.high), "#eef3f8", "black")
        for i, text in enumerate(box.lines):
            pen.text((box.x + box.wide // 2, box.y + 22 + LINE * i), text, "black", font, anchor="mm")
    return image


def draw(counts: Counter, out: Path) -> None:
    """Writes figure1.svg and figure1.png."""
    (out / "figure1.svg").write_text(svg_of(counts))
    png_of(counts).save(out / "figure1.png")
