"""Pairs of names of people who do not exist, and whether they are of one person: for fitting the matcher.

Names are drawn from the lists of given names, middle names and surnames of many countries in the package
Faker (MIT), which name the people of a country in its own script, and from lists of Arabic, Korean and
Chinese names here, whose romanisations differ most. The other name of one person is the same one written
otherwise: in another known spelling or script, romanised otherwise, with slips, initials, titles, without
middle names, in another order. The other name of another person differs in one of its words, mostly in one
that looks like it.
"""

import importlib
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from rapidfuzz.distance import OSA

from gated.watchlist.names.families import Kinship, kinship
from gated.watchlist.names.sounds import fold, skeleton, sound
from gated.watchlist.names.words import name_of

LOCALES: Final = (
    "ar_AA ar_SA az_AZ bg_BG cs_CZ da_DK de_DE de_AT el_GR en_GB en_US en_IN en_NG en_PK es_ES es_MX "
    "es_CO et_EE fa_IR fi_FI fr_FR ga_IE he_IL hi_IN hr_HR hu_HU hy_AM id_ID it_IT ja_JP ka_GE ko_KR "
    "lt_LT lv_LV nl_NL no_NO pl_PL pt_BR pt_PT ro_RO ru_RU sk_SK sl_SI sv_SE th_TH tr_TR uk_UA uz_UZ "
    "vi_VN yo_NG zh_CN zh_TW"
)
WEIGHTS: Final = {
    **dict.fromkeys(("en_GB", "uk_UA", "ar_AA", "ar_SA", "fa_IR", "es_ES", "es_MX", "de_DE", "en_IN"), 2),
    **dict.fromkeys(("en_US", "zh_CN", "ko_KR", "en_PK"), 3),
    "ru_RU": 4,
}
ARABIC_GIVEN: Final = (
    "Mohammed Muhammad Ahmad Ahmed Ali Hassan Hussein Omar Osman Khalid Abdullah Abdul Rahman Ibrahim "
    "Yusuf Mustafa Mahmoud Saleh Salim Nasser Karim Tariq Bilal Hamza Said Faisal Jamal Walid Ismail "
    "Anwar Rashid Haidar Abbas Jaber Mansour Sultan Fahd Hamad Saif Majid Nabil Samir Rafiq Aziz Hakim "
    "Latif"
)
ARABIC_FAMILY: Final = (
    "al-Baghdadi al-Masri al-Tikriti al-Shami al-Hashimi al-Jabouri al-Dulaimi al-Zawahiri al-Libi al- "
    "Qahtani al-Ghamdi al-Harbi Haqqani Khan Akhund Zadran al-Yemeni al-Iraqi al-Sudani al-Maghribi "
    "Benali Mansouri Haddad Khalil Nasrallah"
)
KOREAN_FAMILY: Final = (
    "Kim Lee Park Choi Jung Kang Cho Yoon Jang Lim Han Oh Seo Shin Kwon Hwang Ahn Song Ryu Hong Ri Pak Jong"
)
KOREAN_GIVEN: Final = (
    "Jong Un Il Sung Hyon Chol Song Yong Ho Myong Su Kyong Hui Min Jun Ji Hye Soo Young Hyun Woo Seok Jin "
    "Tae Sang Kwang Nam Hak Chun"
)
CHINESE_FAMILY: Final = (
    "Wang Li Zhang Liu Chen Yang Huang Zhao Wu Zhou Xu Sun Ma Zhu Hu Guo He Lin Gao Luo Zheng Xie Tang "
    "Deng Feng"
)
CHINESE_GIVEN: Final = (
    "Wei Fang Na Jing Li Qiang Lei Jun Yang Yong Yan Jie Juan Tao Ming Chao Xiu Lan Xia Ping Gang Hua "
    "Jian Guo Hong Bin Feng Xiao Long Zhi"
)
TITLES: Final = (
    "Mr. Mrs. Dr. Sheikh Prof. President General Sir Mullah Haji Sayyid Minister Senator Herr Ing. Maulavi"
)
ROMANISATIONS: Final = (
    "ou:u oo:u u:oo ee:i i:y y:i ya:ia ia:ya yu:iu iu:ju kh:h h:kh sh:sch ch:tch zh:j j:dj v:w w:v k:q "
    "q:k ov:off ks:x c:k ph:f f:ph th:t dd:d mm:m ss:s s:ss e:a o:u u:o ei:ey ae:a oe:o ue:u sky:skiy "
    "ij:y iy:y gh:g dh:d zz:z ei:i eo:o z:s ts:c"
)
KEYS_BESIDE: Final = (
    "q:wa w:qes e:wrd r:etf t:ryg y:tuh u:yij i:uok o:ipl p:ol a:qsz s:adwx d:sfec f:dgrv g:fhtb h:gjyn "
    "j:hkum k:jlim l:kop z:xas x:zcsd c:xvdf v:cbfg b:vngh n:bmhj m:njk"
)
SCRIPTS: Final = (
    ("Ѐ", "ӿ", 6),
    ("؀", "ۿ", 3),
    ("Ͱ", "Ͽ", 1),
    ("一", "鿿", 2),
    ("぀", "ヿ", 1),
    ("가", "힣", 1),
)
OTHERWISE: Final = {
    "variant": 20, "romanised": 16, "slip": 18, "no middle name": 12, "initial": 7, "nickname": 4, "title": 4,
    "joined": 6, "split": 2, "digit": 2, "script": 14, "article": 4, "middle name": 4, "short form": 3,
}  # fmt: skip
ANOTHER: Final = {
    "given": 20, "family": 20, "near": 28, "near twice": 6, "unlike": 4, "one word": 8, "patronymic": 6,
    "initial": 5, "given as family": 3,
}  # fmt: skip
"""How often each way is taken; a patronymic, only where there is one."""
_BESIDE: Final = dict(each.split(":") for each in KEYS_BESIDE.split())
STYLES: Final = {"gl": 50, "l,g": 15, "lg": 8, "GL": 8, "L,g": 8, "gL": 8}


class Pair(NamedTuple):
    """Two names, whether they are of one person, and how the second was made."""

    left: str
    right: str
    same: bool
    how: str


class _Somebody(NamedTuple):
    """A name by its parts, and where it is from."""

    given: tuple[str, ...]
    family: tuple[str, ...]
    origin: str


class Draw:
    """Draws pairs; the same ones for the same seed. `families` is rigour's persons.txt."""

    def __init__(self, seed: int, families: Path, nicknames: Path) -> None:
        self._chance = random.Random(seed)
        self._lines = [line.rpartition(" => ")[0].split(", ") for line in families.open(encoding="utf-8")]
        self._of = defaultdict[str, list[int]](list)
        for number, line in enumerate(self._lines):
            for spelling in line:
                self._of[spelling].append(number)
        self._nicknames = defaultdict[str, list[str]](list)
        for row in nicknames.read_text(encoding="utf-8").splitlines()[1:]:
            name, _, nickname = row.split(",")
            self._nicknames[name].append(nickname)
        self._pools = {locale: _pool(locale) for locale in LOCALES.split()}
        self._near = self._by_skeleton()

    def pairs(self, count: int) -> Iterator[Pair]:
        """Yield so many, half of them of one person."""
        while count:
            somebody = self._somebody()
            pair = self._same(somebody) if self._chance.random() < 0.5 else self._other(somebody)
            if pair is not None:
                count -= 1
                yield pair

    def _by_skeleton(self) -> dict[str, list[str]]:
        """Names under the beginning of their skeleton: those that look like each other."""
        found = defaultdict[str, list[str]](list)
        names = {name: None for pool in self._pools.values() for kind in pool[:2] for name in kind}
        drawn = (line[0].title() for line in self._chance.sample(self._lines, 40_000))
        for name in (*names, *(name for name in drawn if _is_latin(name) and len(name) > 3)):
            if spelled := name_of(name).spelled():
                found[skeleton(spelled[0])[:3]].append(name)
        return found

    def _pick(self, text: str) -> str:
        return self._chance.choice(text.split())

    def _take(self, weights: dict[str, int]) -> str:
        return self._chance.choices(list(weights), list(weights.values()))[0]

    def _somebody(self) -> _Somebody:
        chance = self._chance
        what = chance.random()
        if what < 0.12:
            return self._arab()
        if what < 0.18:
            second = chance.choice(("-", " ", "")) + self._pick(KOREAN_GIVEN).lower()
            return _Somebody((self._pick(KOREAN_GIVEN) + second,), (self._pick(KOREAN_FAMILY),), "Korean")
        if what < 0.25:
            second = chance.choice(("", "", " ")) + self._pick(CHINESE_GIVEN).lower()
            given = self._pick(CHINESE_GIVEN) + (second if chance.random() < 0.7 else "")
            return _Somebody((given,), (self._pick(CHINESE_FAMILY),), "Chinese")
        locale = chance.choices(list(self._pools), [WEIGHTS.get(each, 1) for each in self._pools])[0]
        return self._of_country(locale)

    def _arab(self) -> _Somebody:
        given = [self._pick(ARABIC_GIVEN) for _ in range(self._chance.choice((1, 2, 2, 3)))]
        if self._chance.random() < 0.35:
            given[1:1] = [self._chance.choice(("bin", "ibn", "ben")), self._pick(ARABIC_GIVEN)]
        family = self._pick(ARABIC_FAMILY if self._chance.random() < 0.7 else ARABIC_GIVEN)
        return _Somebody(tuple(given), (family,), "Arabic")

    def _of_country(self, locale: str) -> _Somebody:
        chance, (first, last, middle) = self._chance, self._pools[locale]
        given, family = [chance.choice(first)], [chance.choice(last)]
        if middle and chance.random() < 0.75:
            given.append(chance.choice(middle))
        elif locale[:2] not in {"zh", "ko", "ja", "th"} and chance.random() < 0.3:
            given.append(chance.choice(first))
        if locale[:2] in {"es", "pt"} and chance.random() < 0.55:
            family.append(chance.choice(last))
        if locale == "nl_NL" and chance.random() < 0.5:
            family = [f"{chance.choice(('van', 'van der', 'de', 'van den'))} {family[0]}"]
        if locale[:2] in {"de", "fr"} and chance.random() < 0.07:
            family = [f"{'von' if locale[:2] == 'de' else 'de'} {family[0]}"]
        return _Somebody(tuple(given), tuple(family), locale)

    def _same(self, who: _Somebody) -> Pair:
        left, ways = self._otherwise(who, self._chance.choice((0, 0, 0, 1)))
        right, more = self._otherwise(who, self._chance.choice((0, 1, 1, 1, 2, 2, 3)))
        if self._chance.random() < 0.02 and right.given:
            right, more = right._replace(given=()), [*more, "no given name"]
        return Pair(self._styled(left), self._styled(right), same=True, how="+".join(ways + more) or "order")

    def _other(self, who: _Somebody) -> Pair | None:
        how = self._take(ANOTHER)
        other = self._another(who, how)
        if other is None or other == who or self._is_kin(who, other):
            return None
        depth = (0,) if how == "patronymic" else (0, 0, 0, 1)
        left, _ = self._otherwise(who, self._chance.choice(depth))
        right, _ = self._otherwise(other, self._chance.choice((*depth, *depth[-1:])))
        return Pair(self._styled(left), self._styled(right), same=False, how=how)

    def _another(self, who: _Somebody, how: str) -> _Somebody | None:
        chance = self._chance
        stranger = self._of_country(who.origin) if who.origin in self._pools else self._somebody()
        match how:
            case "given":
                return who._replace(given=(stranger.given[0], *who.given[1 : chance.choice((1, 1, 2))]))
            case "family":
                return who._replace(family=stranger.family)
            case "near" | "near twice":
                given, family = self._resembling(who.given[0]), self._resembling(who.family[0])
                if given is None or family is None:
                    return None
                if how == "near twice":
                    return who._replace(given=(given, *who.given[1:]), family=(family, *who.family[1:]))
                if chance.random() < 0.5:
                    return who._replace(given=(given, *who.given[1:]))
                return who._replace(family=(family, *who.family[1:]))
            case "unlike":
                return stranger
            case "one word":
                return who._replace(given=(*stranger.given, who.given[0]), family=stranger.family)
            case "patronymic":
                if len(who.given) < 2 or len(stranger.given) < 2:
                    return None
                return who._replace(given=(who.given[0], stranger.given[-1], *who.given[2:]))
            case "initial":
                letter = stranger.given[0][0]
                ours = {given[0].lower() for given in who.given}
                if letter.lower() in ours or not _is_latin(letter):
                    return None
                return who._replace(given=(f"{letter}.",))
        return who._replace(given=(who.family[0],), family=stranger.family)

    def _is_kin(self, who: _Somebody, other: _Somebody) -> bool:
        """Whether all that differs are spellings of one name: then they may be one person after all."""
        ours, theirs = (*who.given, *who.family), (*other.given, *other.family)
        if len(ours) != len(theirs):
            return False
        differing = [(one, two) for one, two in zip(ours, theirs, strict=True) if one != two]
        return all(_one_name(one, two) for one, two in differing)

    def _resembling(self, name: str) -> str | None:
        spelled = name_of(name).spelled()
        if not spelled:
            return None
        ours = "".join(spelled)
        alike = self._near.get(skeleton(spelled[0])[:3], [])
        alike = self._chance.sample(alike, min(60, len(alike)))
        others = [
            each for each in alike if _is_latin(each) == _is_latin(name) and not _one_name(name, each)
        ]  # fmt: skip
        others.sort(key=lambda each: OSA.distance("".join(name_of(each).spelled()), ours))
        return self._chance.choice(others[:3]) if others else None

    def _styled(self, who: _Somebody) -> str:
        given, family = " ".join(who.given), " ".join(who.family)
        match self._take(STYLES):
            case "gl":
                text = f"{given} {family}"
            case "l,g":
                text = f"{family}, {given}"
            case "lg":
                text = f"{family} {given}"
            case "GL":
                text = f"{given} {family}".upper()
            case "L,g":
                text = f"{family.upper()}, {given}"
            case _:
                text = f"{given} {family.upper()}"
        return text.strip(" ,") or family

    def _otherwise(self, who: _Somebody, times: int) -> tuple[_Somebody, list[str]]:
        """The same person written otherwise, and in which ways."""
        if who.origin not in {"Korean", "Chinese"}:
            who = who._replace(given=tuple(word for given in who.given for word in given.split()))
        ways = []
        for _ in range(times):
            way = self._take(OTHERWISE)
            changed = self._in_way(who, way)
            if changed is not None and changed != who:
                who = changed
                ways.append(way)
        return who, ways

    def _in_way(self, who: _Somebody, way: str) -> _Somebody | None:
        chance, given = self._chance, who.given
        match way:
            case "no middle name":
                at = chance.randrange(1, len(given)) if len(given) > 1 else 0
                return who._replace(given=given[:at] + given[at + 1 :]) if at else None
            case "middle name":
                first, _, middle = self._pools.get(who.origin, ((), (), ()))
                return (
                    who._replace(given=(*given, chance.choice(middle or first))) if first and given else None
                )
            case "title":
                return who._replace(given=(self._pick(TITLES), *given))
            case "joined":
                return self._joined(who)
            case "script":
                return self._in_script(who)
            case "article":
                parted = (name.removeprefix("al-").replace("-", " ") for name in who.family)
                return who._replace(family=tuple(parted))
            case "initial" | "nickname" | "short form":
                if not given or not _is_latin(given[0]) or len(given[0]) < 2:
                    return None
                at = chance.randrange(len(given)) if way == "initial" else 0
                return _with(who, 0, at, self._shortened(given[at], way))
        side = chance.randrange(2) if given else 1
        at = chance.randrange(len(who[side]))
        return _with(who, side, at, self._respelled(who[side][at], way))

    def _joined(self, who: _Somebody) -> _Somebody | None:
        joint = self._chance.choice(("", "-"))
        if len(who.given) > 1:
            first, second, *rest = who.given
            return who._replace(given=(f"{first}{joint}{second.lower()}", *rest))
        if len(who.given) == 1:
            return who._replace(given=(), family=(f"{who.given[0]}{joint}{who.family[0]}", *who.family[1:]))
        return None

    def _in_script(self, who: _Somebody) -> _Somebody | None:
        """Latin names in another script where they are known in it; others in Latin letters."""
        if not all(map(_is_latin, (*who.given, *who.family))):
            return who._replace(
                given=tuple(map(self._latinised, who.given)), family=tuple(map(self._latinised, who.family))
            )
        first, last, _ = self._chance.choices(SCRIPTS, [weight for *_, weight in SCRIPTS])[0]
        known = [
            [self._variant(name, lambda text: first <= text[0] <= last) for name in side]
            for side in (who.given, who.family)
        ]
        if not all(map(all, known)):
            return None
        given, family = ([name for name in side if name] for side in known)
        return who._replace(given=tuple(given), family=tuple(family))

    def _latinised(self, name: str) -> str:
        known = self._variant(name, _is_latin) if self._chance.random() < 0.4 else None
        return known or " ".join(word.capitalize() for word in name_of(name).spelled()) or name

    def _shortened(self, name: str, way: str) -> str | None:
        if way == "initial":
            return name[0] + self._chance.choice((".", ""))
        if way == "nickname":
            known = self._nicknames.get(name.lower())
            return self._chance.choice(known).title() if known else None
        return name[: self._chance.randrange(3, len(name) - 1)] if len(name) > 5 else None

    def _respelled(self, name: str, way: str) -> str | None:
        match way:
            case "variant":
                return self._variant(name, _is_latin if _is_latin(name) else lambda _: True)
            case "romanised":
                text = name if _is_latin(name) else self._latinised(name)
                return self._replaced(text, [tuple(each.split(":")) for each in ROMANISATIONS.split()])
            case "digit":
                return self._replaced(name, list(zip("oieastb", "0134578", strict=True)))
            case "split":
                return f"{name[: len(name) // 2]} {name[len(name) // 2 :]}" if len(name) > 6 else None
        return self._slipped(name)

    def _variant(self, name: str, wanted: Callable[[str], bool]) -> str | None:
        key = name.lower()
        if len(key) < 2:
            return None
        known = [
            each for at in self._of.get(key, ()) for each in self._lines[at] if each != key and wanted(each)
        ]
        return self._chance.choice(known).title() if known else None

    def _replaced(self, name: str, ways: list[tuple[str, ...]]) -> str | None:
        fitting = [way for way in ways if way[0] in name.lower()[1:]]
        if not fitting:
            return None
        written, other = self._chance.choice(fitting)
        at = name.lower().rfind(written)
        return name[:at] + other + name[at + len(written) :]

    def _slipped(self, name: str) -> str | None:
        if len(name) < 4 or not name.isalpha():
            return None
        chance = self._chance
        at, what = chance.randrange(1, len(name)), chance.random()
        if what < 0.25:
            return name[:at] + name[at + 1 :]
        if what < 0.45:
            return name[:at] + chance.choice((name[at], chance.choice("aeioutnrs"))) + name[at:]
        if what < 0.7:
            return name[:at] + chance.choice(_BESIDE.get(name[at].lower(), "aeiou")) + name[at + 1 :]
        if at < len(name) - 1:
            return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
        return name[:-1]


def _with(who: _Somebody, side: int, at: int, name: str | None) -> _Somebody | None:
    if name is None:
        return None
    names = (*who[side][:at], name, *who[side][at + 1 :])
    return who._replace(family=names) if side else who._replace(given=names)


def _one_name(one: str, two: str) -> bool:
    """Whether two words may be spellings of one name."""
    ours, theirs = "".join(name_of(one).spelled()), "".join(name_of(two).spelled())
    if not ours or not theirs or fold(ours) == fold(theirs) or sound(ours) == sound(theirs):
        return True
    return kinship(ours, theirs) >= Kinship.NICKNAME


def _is_latin(text: str) -> bool:
    return all(character < "\u0250" for character in text)


def _pool(locale: str) -> tuple[list[str], list[str], list[str]]:
    """Given names, surnames and middle names of a country."""
    lists = importlib.import_module(f"faker.providers.person.{locale}").Provider
    given = ("first_names", "first_names_male", "first_names_female", "first_romanized_names")
    family = ("last_names", "last_names_male", "last_names_female", "last_romanized_names")
    middle = ("middle_names", "middle_names_male", "middle_names_female")
    first, last, between = (
        sorted({str(name) for kind in kinds for name in getattr(lists, kind, None) or ()})
        for kinds in (given, family, middle)
    )
    return first, last, between
