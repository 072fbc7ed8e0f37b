"""Printed names against the zone: the tables of Doc 9303-3 section 6 and the cut names of 9303-4 to -7."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.document.mrz import ZoneName, same_name, transliterations
from gated.document.mrz.names import name_of
from gated.document.mrz.printed_names import MAX_FORMS, MAX_PRINTED
from gated.document.mrz.transliteration import ALLAH, ARABIC, CYRILLIC, LATIN, SHADDA, TEH_MARBUTA
from tests.document.material import FUZZ

# Doc 9303-3 section 6 A, whole; `/` parts alternatives
TABLE_A = (
    "À:A Á:A Â:A Ã:A Ä:AE/A Å:AA/A Æ:AE Ç:C È:E É:E Ê:E Ë:E Ì:I Í:I Î:I Ï:I Ð:D Ñ:N/NXX Ò:O Ó:O Ô:O Õ:O "
    "Ö:OE/O Ø:OE Ù:U Ú:U Û:U Ü:UE/UXX/U Ý:Y Þ:TH Ā:A Ă:A Ą:A Ć:C Ĉ:C Ċ:C Č:C Ď:D Đ:D Ē:E Ĕ:E Ė:E Ę:E "
    "Ě:E Ĝ:G Ğ:G Ġ:G Ģ:G Ĥ:H Ħ:H Ĩ:I Ī:I Ĭ:I Į:I İ:I ı:I Ĳ:IJ Ĵ:J Ķ:K Ĺ:L Ļ:L Ľ:L Ŀ:L Ł:L Ń:N Ņ:N Ň:N "
    "Ŋ:N Ō:O Ŏ:O Ő:O Œ:OE Ŕ:R Ŗ:R Ř:R Ś:S Ŝ:S Ş:S Š:S Ţ:T Ť:T Ŧ:T Ũ:U Ū:U Ŭ:U Ů:U Ű:U Ų:U Ŵ:W Ŷ:Y Ÿ:Y "
    "Ź:Z Ż:Z Ž:Z ẞ:SS"
)
# section 6 B, whole: each letter in the middle of a word, of every language
TABLE_B = (
    "Ё:E/IO Є:IE Ѕ:DZ І:I Ї:I Ј:J Љ:LJ Њ:NJ Ќ:K/KJ Ў:U Џ:DZ/DJ А:A Б:B В:V Г:G/H Д:D Е:E Ж:ZH/Z З:Z "
    "И:I/Y Й:I К:K Л:L М:M Н:N О:O П:P Р:R С:S Т:T У:U Ф:F Х:KH/H Ц:TS/C Ч:CH/C Ш:SH/S Щ:SHCH/SHT Ъ:IE "
    "Ы:Y Э:E Ю:IU Я:IA Ѫ:U Ѵ:Y Ґ:G Ғ:G/GJ Һ:C"
)
UKRAINIAN_FIRST = "Є:YE Ї:YI Й:Y Ю:YU Я:YA"
# section 6 C: each letter in the middle of a word
TABLE_C = (
    "\u0621:XE \u0622:XAA \u0623:XAE \u0624:U \u0625:I \u0626:XI \u0627:A \u0628:B \u0629:XTA \u062a:T "
    "\u062b:XTH \u062c:J \u062d:XH \u062e:XKH \u062f:D \u0630:XDH \u0631:R \u0632:Z \u0633:S \u0634:XSH "
    "\u0635:XSS \u0636:XDZ \u0637:XTT \u0638:XZZ \u0639:E \u063a:G \u0640: \u0641:F \u0642:Q \u0643:K "
    "\u0644:L \u0645:M \u0646:N \u0647:H \u0648:W \u0649:XAY \u064a:Y \u064b: \u064c: \u064d: \u064e: "
    "\u064f: \u0650: \u0652: \u0670: \u0671:XXA \u0679:XXT \u067c:XRT \u067e:P \u0681:XKE \u0685:XXH "
    "\u0686:XC \u0688:XXD \u0689:XDR \u0691:XXR \u0693:XRR \u0696:XRX \u0698:XJ \u069a:XXS \u069c: "
    "\u06a2: \u06a7: \u06a8: \u06a9:XKK \u06ab:XXK \u06ad:XNG \u06af:XGG \u06ba:XNN \u06bc:XXN \u06be:XDO "
    "\u06c0:XYH \u06c1:XXG \u06c2:XGE \u06c3:XTG \u06cc:XYA/Y/XAY \u06cd:XXY \u06d0:Y \u06d2:XYB \u06d3:XBE"
)


def rows(table: str) -> list[tuple[str, set[str]]]:
    return [(letter, set(forms.split("/"))) for letter, forms in (row.split(":") for row in table.split())]


@pytest.mark.parametrize(("letter", "forms"), rows(TABLE_A))
def test_table_a(letter: str, forms: set[str]) -> None:
    wanted = {f"K{form}K" for form in forms}
    assert transliterations(f"K{letter}K") == wanted
    assert transliterations(f"k{letter.lower()}k") == wanted
    assert transliterations(unicodedata.normalize("NFD", f"K{letter}K")) == wanted


@pytest.mark.parametrize(("letter", "forms"), rows(TABLE_B))
def test_table_b(letter: str, forms: set[str]) -> None:
    assert transliterations(f"А{letter}А") == {f"A{form}A" for form in forms}


@pytest.mark.parametrize(("letter", "forms"), rows(UKRAINIAN_FIRST))
def test_some_ukrainian_letters_differ_at_the_beginning(letter: str, forms: set[str]) -> None:
    assert {f"{form}A" for form in forms} < transliterations(f"{letter}А")


@pytest.mark.parametrize(("letter", "forms"), rows(TABLE_C))
def test_table_c(letter: str, forms: set[str]) -> None:
    assert transliterations(f"\u0628{letter}\u0628") == {f"B{form}B" for form in forms}


@pytest.mark.parametrize(
    ("printed", "form"),
    [
        ("D'Artagnan", "DARTAGNAN"),
        ("O\u2019Connor", "OCONNOR"),
        ("Marie-Elise", "MARIE<ELISE"),
        ("Marie\u2011Elise", "MARIE<ELISE"),
        ("Anna, Maria", "ANNA<MARIA"),
        ("St. John  Smith ", "ST<JOHN<SMITH"),
        ("Ștefan Țepeș", "STEFAN<TEPES"),
        ("Nguyễn", "NGUYEN"),
        ("groß", "GROSS"),
        ("Кузьмин", "KUZMIN"),
        ("Ђорђевић", "DORDEVIC"),
        ("Ѓорѓи", "GJORGJI"),
    ],
)
def test_punctuation_and_letters_beside_the_tables(printed: str, form: str) -> None:
    assert form in transliterations(printed)


@pytest.mark.parametrize(
    ("printed", "forms"),
    [  # Doc 9303-3 appendix B.5
        ("\u0645\u062d\u0645\u062f \u0628\u0646 \u0632\u0643\u0631\u064a\u0627", {"MXHMD<BN<ZKRYA"}),
        ("\u0641\u0627\u0637\u0645\u0629", {"FAXTTMXAH", "FAXTTMXTA"}),
        ("\u0639\u0628\u0651\u0627\u0633", {"EBBAS", "EBAS"}),
        ("\u0641\u0636\u0651\u0629", {"FXDZXDZXAH", "FXDZXDZXTA", "FXDZXAH", "FXDZXTA"}),
        ("\u0639\u0628\u062f \u0627\u0644\u0644\u0647", {"EBD<ALLXH", "EBD<ALLH"}),
        ("\u0639\u0628\u062f\u0627\u0644\u0639\u0632\u064a\u0632", {"EBD<ALEZYZ", "EBDALEZYZ"}),
        ("\u0625\u0633\u0645\u0627\u0639\u064a\u0644", {"ISMAEYL"}),
    ],
)
def test_arabic_names_of_the_standard(printed: str, forms: set[str]) -> None:
    assert transliterations(printed) == forms


def test_an_issuer_chooses_once() -> None:
    assert transliterations("Müller-Lüdenscheidt") == {
        "MUELLER<LUEDENSCHEIDT",
        "MUXXLLER<LUXXDENSCHEIDT",
        "MULLER<LUDENSCHEIDT",
    }


@pytest.mark.parametrize(
    "name", ["\u738b\u5c0f\u660e", "\u03a0\u03b1\u03c0\u03ac\u03c2", "Anna 2", "A" * (MAX_PRINTED + 1)]
)
def test_what_has_no_transliteration_has_no_form(name: str) -> None:
    assert transliterations(name) == frozenset()
    assert (
        same_name(ZoneName("PAPAS", "", primary_may_be_cut=False, secondary_may_be_cut=False), name) is None
    )


def test_the_forms_of_a_hostile_name_are_few() -> None:
    hostile = ("ÄÅÑÖÜ" + "Щ" + "\u0639\u0628\u062f\u0627\u0644\u0644\u0647 \u0628\u0651\u0629 \u06cc ") * 20
    assert 1 < len(transliterations(hostile[:MAX_PRINTED])) <= MAX_FORMS


@pytest.mark.parametrize(
    ("printed", "forms"),
    [
        ("\u0628\u0629\u0651", {"BXAH", "BXAHXAH", "BXTA", "BXTAXTA"}),  # teh marbuta doubled, at the end
        ("\u0629\u0627\u0644\u0644\u0647", {"XAHALLH", "XAHALLXH", "XTAALLH", "XTAALLXH"}),  # before Allah
    ],
)
def test_a_teh_marbuta_where_no_word_has_one(printed: str, forms: set[str]) -> None:
    """A chip may say anything in DG11."""
    assert transliterations(printed) == forms


LETTERS = [*LATIN, *CYRILLIC, *ARABIC, SHADDA, TEH_MARBUTA, ALLAH, " ", "-", "'", "A"]


@FUZZ
@given(st.text(max_size=40) | st.lists(st.sampled_from(LETTERS), max_size=12).map("".join))
def test_every_form_could_stand_in_a_zone(name: str) -> None:
    for form in transliterations(name):
        assert set(form) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ<")
        assert not form.startswith("<")
        assert not form.endswith("<")
        assert "<<" not in form


WHOLE = [
    ("ERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "Eriksson", "Anna Maria"),
    ("SMITH<JONES<<SUSIE<MARGARET<<<<<<<<<<<<", "Smith-Jones", "Susie Margaret"),
    ("OCONNOR<<ENYA<SIOBHAN<<<<<<<<<<<<<<<<<<", "O'Connor", "Enya Siobhan"),
    ("SATRIYA<SUDARPA<<<<<<<<<<<<<<<<<<<<<<<<", "Satriya Sudarpa", ""),
    ("MUELLER<<JOERG<<<<<<<<<<<<<<<<<<<<<<<<<", "Müller", "Jörg"),
    ("MUXXLLER<<JORG<<<<<<<<<<<<<<<<<<<<<<<<<", "Müller", "Jörg"),
]
THAI, AUSTRALIAN = "Nilavadhanananda", "Bennelong Wooloomooloo Warrandyte Warnambool"
CUT = [  # Doc 9303-4, -5 and -6 section 4.2.3, and 9303-7 section 7.2.3
    ("NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<K", THAI, "Chayapa Dejthamrong Krasuang"),
    ("NILAVADHANANANDA<<ARNPOL<PETCH<CHARONGU", THAI, "Arnpol Petch Charonguang"),
    ("BENNELONG<WOOLOOMOOLOO<WARRANDYTE<W<<DI", AUSTRALIAN, "Dingo Potoroo"),
    ("BENNELONG<WOOLOOM<WARRAND<WARNAM<<DINGO", AUSTRALIAN, "Dingo Potoroo"),
    ("BENNEL<WOOLOOM<WARRAN<WARNAM<<DINGO<POT", AUSTRALIAN, "Dingo Potoroo"),
    ("PAPANDROPOULOUS<<JONATHON<WARREN<TREVOR", "Papandropoulous", "Jonathon Warren Trevor"),
    ("NILAVADHANANANDA<<CHAYAPA<DE<K", THAI, "Chayapa Dejthamrong Krasuang"),
    ("BENNELONG<WOOLOOMOOLOO<W<W<<DI", AUSTRALIAN, "Dingo Potoroo"),
    ("BENNE<WOOLO<WARRA<WARNA<<DIN<P", AUSTRALIAN, "Dingo Potoroo"),
    ("VILARCHAO<FERNANDEZ<<JOSE<RAMO", "Vilarchao Fernandez", "Jose Ramon"),
    ("NILAVADHANANANDA<<ARN<PET<CHARO", THAI, "Arnpol Petch Charonguang"),
    ("BENNELONG<WOOLOOM<WAR<WARN<<D<P", AUSTRALIAN, "Dingo Potoroo"),
    ("NILAVADHANANANDA<<ARNP<PE<CHARO", THAI, "Arnpol Petch Charonguang"),
    ("BENNELONG<WOOLOOMOOLOO<WAR<W<<D", AUSTRALIAN, "Dingo Potoroo"),
    ("BENN<WOOL<WARR<WARN<<DINGO<POTO", AUSTRALIAN, "Dingo Potoroo"),
    ("PAPANDROPOULOUS<<STEPHEN<TREVOR", "Papandropoulous", "Stephen Trevor"),
]


@pytest.mark.parametrize(("field", "surname", "given_names"), [*WHOLE, *CUT])
def test_a_printed_name_is_known_in_the_zone(field: str, surname: str, given_names: str) -> None:
    assert same_name(name_of(field), surname, given_names) is True


@pytest.mark.parametrize(("field", "surname", "given_names"), CUT)
def test_a_name_that_does_not_fill_its_field_is_not_cut(field: str, surname: str, given_names: str) -> None:
    whole = f"{surname}<<{given_names}".upper().replace(" ", "<") == field
    assert same_name(name_of(field + "<"), surname, given_names) is whole


@pytest.mark.parametrize(
    ("field", "surname", "given_names"),
    [
        ("ERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "Eriksson", "Anna"),
        ("ERIKSSON<<ANNA<<<<<<<<<<<<<<<<<<<<<<<<<", "Eriksson", "Anna Maria"),
        ("ERIKSSON<<ANNA<<<<<<<<<<<<<<<<<<<<<<<<<", "Anna", "Eriksson"),
        ("ERIKSON<<ANNA<<<<<<<<<<<<<<<<<<<<<<<<<<", "Eriksson", "Anna"),
        ("MUELLER<<LUDWIG<LUXXDER<<<<<<<<<<<<<<<<", "Müller", "Lüdwig Lüder"),
        ("NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<X", THAI, "Chayapa Dejthamrong Krasuang"),
        ("BENNELONG<WOOLOOMOOLOO<WARRANDYTE<W<<DI", "Wooloomooloo Bennelong Warrandyte W", "Dingo"),
    ],
)
def test_another_name_is_told(field: str, surname: str, given_names: str) -> None:
    assert same_name(name_of(field), surname, given_names) is False


def test_another_spelling_of_a_name_in_cyrillic_is_left_open() -> None:
    assert same_name(name_of("YUSHCHENKO<<YULIYA<<<<<"), "Ющенко", "Юлія") is None
    assert same_name(name_of("YUSHCHENKO<<YULIIA<<<<<"), "Ющенко", "Юлія") is True
    assert same_name(name_of("YUSHCHENKO<<ANNA<<<<<<<"), "Ющенко", "Hanna") is False


def test_a_name_shows_nothing_of_itself() -> None:
    assert "ERIKSSON" not in repr(name_of("ERIKSSON<<ANNA<<"))
