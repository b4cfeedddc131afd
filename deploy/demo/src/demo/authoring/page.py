"""The scanned laboratory page: a printed table, scanned slightly askew with a little noise. Grey, PNG.

Needs the font DejaVu Sans (Debian `fonts-dejavu-core`).
"""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from demo.authoring.dialect import LAKESIDE

AUTHORED = LAKESIDE.when(2025, 7, 8, 7, 45)
FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
DPI = 150
HEADINGS = ("Analyte", "Result", "Unit", "Reference")
# What stands on the page, in order.
ROWS = (
    ("Creatinine", "121", "umol/L", "49 - 90"),
    ("Potassium", "5.0", "mmol/L", "3.5 - 5.1"),
    ("Sodium", "138", "mmol/L", "136 - 145"),
    ("Urea", "9.3", "mmol/L", "2.8 - 8.1"),
    ("Haemoglobin", "121", "g/L", "120 - 155"),
    ("HbA1c", "55", "mmol/mol", "20 - 42"),
)
_COLUMNS = (110, 460, 640, 860)
_SIZE = (1120, 900)
_GREY_STEPS = 8


def render() -> bytes:
    """The page as a PNG of 1120 x 900 pixels at 150 dpi."""
    askew = _print().rotate(0.5, Image.Resampling.BICUBIC, fillcolor=250)
    buffer = io.BytesIO()
    _scan(askew).save(buffer, "PNG", dpi=(DPI, DPI), optimize=True)
    return buffer.getvalue()


def _print() -> Image.Image:
    page = Image.new("L", _SIZE, 250)
    draw = ImageDraw.Draw(page)
    title, text = ImageFont.truetype(FONT, 34), ImageFont.truetype(FONT, 26)
    draw.text((110, 70), "Example Laboratory - Report", font=title, fill=20)
    draw.text((110, 140), "Patient: 88-1306", font=text, fill=20)
    draw.text((110, 180), f"Collected: {AUTHORED:%Y-%m-%d %H:%M}", font=text, fill=20)
    _table(draw, text)
    draw.text((110, 790), "Printed without signature. Fictitious data.", font=text, fill=20)
    return page


def _table(draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont) -> None:
    for row, cells in enumerate((HEADINGS, *ROWS)):
        top = 260 + row * 70
        for left, cell in zip(_COLUMNS, cells, strict=True):
            draw.text((left, top), cell, font=font, fill=20)
        draw.line((100, top + 50, 1040, top + 50), fill=120, width=2)


def _scan(page: Image.Image) -> Image.Image:
    """Sensor noise, then few grey steps so that the file stays small."""
    pixels = np.asarray(page, dtype=np.int16)
    noise = np.random.default_rng(1).integers(-9, 10, size=pixels.shape, dtype=np.int16)
    steps = np.clip(pixels + noise, 0, 255) // (256 // _GREY_STEPS)
    return Image.fromarray((steps * (255 // (_GREY_STEPS - 1))).astype(np.uint8))
