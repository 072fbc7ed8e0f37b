"""Characters as pictures of ink: OCR-B from the font beside this file, and fonts that should not be used."""

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from models.mrz.training.zones import ALPHABET

Grey = npt.NDArray[np.uint8]

OCR_B = Path(__file__).parent / "font" / "OCRB.otf"
CELL = 48  # side of a character's picture
BASE = 36  # its base line
# Debian packages fonts-ocr-b, fonts-ocr-a, fonts-liberation2, fonts-hack, fonts-inconsolata, fonts-noto-mono,
# fonts-freefont-ttf, fonts-anonymous-pro, fonts-courier-prime: wrong fonts of documents and samples
OTHER_FONTS = tuple(
    Path("/usr/share/fonts") / name
    for name in (
        "opentype/ocr-b/OCRBS.otf",
        "opentype/ocr-b/OCRBL.otf",
        "truetype/ocr-a/OCRA.ttf",
        "truetype/liberation2/LiberationMono-Regular.ttf",
        "truetype/dejavu/DejaVuSansMono.ttf",
        "truetype/hack/Hack-Regular.ttf",
        "opentype/inconsolata/Inconsolata.otf",
        "truetype/inconsolata/Inconsolata.otf",
        "truetype/noto/NotoMono-Regular.ttf",
        "truetype/freefont/FreeMonoBold.ttf",
        "truetype/anonymous-pro/Anonymous Pro.ttf",
        "opentype/courier-prime/Courier Prime.otf",
    )
)


@cache
def other_fonts() -> tuple[Path, ...]:
    """Those of OTHER_FONTS that this machine has."""
    return tuple(path for path in OTHER_FONTS if path.is_file())


@cache
def characters(font: Path, cap: int) -> dict[str, Grey]:
    """CELL x CELL pictures, 255 is ink; a capital letter is `cap` pixels high and stands on BASE."""
    probe = ImageFont.truetype(str(font), 100)
    _, top, _, bottom = probe.getbbox("H", anchor="ls")
    sized = ImageFont.truetype(str(font), 100 * cap / (bottom - top))
    pictures = {}
    for character in ALPHABET:
        picture = Image.new("L", (CELL, CELL), 0)
        ImageDraw.Draw(picture).text((CELL / 2, BASE), character, fill=255, font=sized, anchor="ms")
        pictures[character] = np.asarray(picture)
    return pictures
