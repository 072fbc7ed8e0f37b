"""The tables of Doc 9303-3 section 6: for each national letter, all that may stand for it in the zone.

A table gives a letter as a tuple, the recommendation that is named first first. Letters of the Latin script
without an entry lose their marks, as section 4.6 asks. Cyrillic letters depend on the language of the name,
which is not known: each language is a table of its own.

The standard's table B lists Ћ of Serbian and Ѓ of Macedonian under the code points of Һ and Ғ: both are here.
The soft sign stands in no table; it is omitted, as the states that have it do.
"""

from collections.abc import Mapping
from dataclasses import dataclass

Alternatives = tuple[str, ...]

LATIN: Mapping[str, Alternatives] = {
    "Ä": ("AE", "A"),
    "Å": ("AA", "A"),
    "Æ": ("AE",),
    "Ð": ("D",),
    "Ñ": ("N", "NXX"),
    "Ö": ("OE", "O"),
    "Ø": ("OE",),
    "Ü": ("UE", "UXX", "U"),
    "Þ": ("TH",),
    "Đ": ("D",),
    "Ħ": ("H",),
    "ı": ("I",),
    "Ĳ": ("IJ",),
    "Ŀ": ("L",),
    "Ł": ("L",),
    "Ŋ": ("N",),
    "Œ": ("OE",),
    "Ŧ": ("T",),
    "ẞ": ("SS",),
}
"""Section 6 A, but for the letters of which only the mark is dropped."""


def _pairs(text: str) -> dict[str, str]:
    """Letter and form, as in `А:A`."""
    return dict(pair.split(":") for pair in text.split())


@dataclass(frozen=True, slots=True)
class Language:
    """How one language's Cyrillic differs; `first` holds for the first letter of a word."""

    name: str
    letters: Mapping[str, str]
    first: Mapping[str, str]


CYRILLIC: Mapping[str, str] = _pairs(
    "Ё:E Ђ:D Є:IE Ѕ:DZ І:I Ї:I Ј:J Љ:LJ Њ:NJ Ќ:K Ў:U Џ:DZ А:A Б:B В:V Г:G Д:D Е:E Ж:ZH З:Z И:I Й:I К:K "
    "Л:L М:M Н:N О:O П:P Р:R С:S Т:T У:U Ф:F Х:KH Ц:TS Ч:CH Ш:SH Щ:SHCH Ъ:IE Ы:Y Ь: Э:E Ю:IU Я:IA Ѫ:U "
    "Ѵ:Y Ґ:G Ғ:G Һ:C Ѓ:G Ћ:C"
)
"""Section 6 B without its exceptions."""
LANGUAGES = (
    Language("Russian and others", {}, {}),
    Language("Belarusian", {"Ё": "IO", "Г": "H"}, {}),
    Language("Ukrainian", {"Г": "H", "И": "Y"}, {"Є": "YE", "Ї": "YI", "Й": "Y", "Ю": "YU", "Я": "YA"}),
    Language("Bulgarian", {"Щ": "SHT"}, {}),
    Language("Serbian", {"Г": "H", "Ж": "Z", "Х": "H", "Ц": "C", "Ч": "C", "Ш": "S"}, {}),
    Language("Serbian, Г as it is spoken", {"Ж": "Z", "Х": "H", "Ц": "C", "Ч": "C", "Ш": "S"}, {}),
    Language("Macedonian", {"Ќ": "KJ", "Џ": "DJ", "Х": "H", "Ц": "C", "Ғ": "GJ", "Ѓ": "GJ"}, {}),
)

ARABIC: Mapping[str, Alternatives] = {
    letter: tuple(forms.split("/"))
    for letter, forms in _pairs(
        "\u0621:XE \u0622:XAA \u0623:XAE \u0624:U \u0625:I \u0626:XI \u0627:A \u0628:B \u062a:T "
        "\u062b:XTH \u062c:J \u062d:XH \u062e:XKH \u062f:D \u0630:XDH \u0631:R \u0632:Z \u0633:S "
        "\u0634:XSH \u0635:XSS \u0636:XDZ \u0637:XTT \u0638:XZZ \u0639:E \u063a:G \u0640: \u0641:F "
        "\u0642:Q \u0643:K \u0644:L \u0645:M \u0646:N \u0647:H \u0648:W \u0649:XAY \u064a:Y \u0670: "
        "\u0671:XXA \u0679:XXT \u067c:XRT \u067e:P \u0681:XKE \u0685:XXH \u0686:XC \u0688:XXD "
        "\u0689:XDR \u0691:XXR \u0693:XRR \u0696:XRX \u0698:XJ \u069a:XXS \u069c: \u06a2: \u06a4:V "
        "\u06a5:XF \u06a7: \u06a8: \u06a9:XKK \u06ab:XXK \u06ad:XNG \u06af:XGG \u06ba:XNN \u06bc:XXN "
        "\u06be:XDO \u06c0:XYH \u06c1:XXG \u06c2:XGE \u06c3:XTG \u06cc:XYA/Y/XAY \u06cd:XXY \u06d0:Y "
        "\u06d2:XYB \u06d3:XBE"
    ).items()
}
"""Section 6 C and appendix B.5; empty where a letter is not encoded. Teh marbuta depends on its place."""
TEH_MARBUTA = "\u0629"
TEH_MARBUTA_WITHIN, TEH_MARBUTA_LAST = ("XTA",), ("XAH", "XTA")
SHADDA = "\u0651"
"""Doubles what stands before it, or is passed over (appendix B.5.5.11)."""
ALLAH = "\u0627\u0644\u0644\u0647"
ALLAH_FORMS = ("ALLH", "ALLXH")
"""The special case of appendix B.5.5.11: its example has the heh as XH."""
