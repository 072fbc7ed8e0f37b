"""Measures an embedder: comparisons of photographs one to one, or of one with the fusion of several.

Two ways to choose what is compared:

- `of_pairs`: the pairs of a list. With a template of N, the first image of a pair is the reference, and the
  other side is the fusion of N images of the second person: the named one and those after it in the order of
  their files, round the end, never the reference, passing over what could not be acquired.
- `of_all`: every photograph with every other; with a template of N, each photograph of a person in turn (up
  to MAX_TURNS) is the reference, and the N after it are fused.

Pairs of templates alone seldom hold enough non-mated comparisons for a false match rate of 0.1 %: few people
have so many photographs. So with a template, every reference is also compared with every template of another
person ("cross comparisons"), as in `of_all`.

Nothing is trained, and no threshold is fitted to anything but the false match rate it is named after.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.evaluation.acquisition import Acquired
from models.evaluation.pairs import PairList, Sample
from models.evaluation.photographs import Collection, Photograph
from models.evaluation.rates import Comparisons
from models.matching import Embedder, fuse
from models.tflite import Floats

MAX_TURNS = 8
MAX_COMPARISONS = 100_000_000  # of all with all: all of LFW, in some gigabytes

Numbers = npt.NDArray[np.int32]


@dataclass(kw_only=True)
class LeftOut:
    """Why pairs were not compared, by number, and the files that failed, with their codes."""

    pairs: Counter[str] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What was compared. `folds` numbers the comparisons of a list with folds; else None."""

    comparisons: Comparisons
    folds: Numbers | None
    cross: bool
    people: int
    photographs: int
    left_out: LeftOut


class VerificationError(Exception):
    """Nothing can be compared: the text says why."""


def needed_for_pairs(collection: Collection, listed: PairList, template: int) -> list[Photograph]:
    """Return the photographs to embed: those of the list; with a template, all of its people."""
    found: dict[str, Photograph] = {}
    for pair in listed.pairs:
        for sample in (pair.reference, pair.probe):
            photograph = collection.find(sample)
            if photograph is not None:
                group = collection.people[photograph.person] if template > 1 else (photograph,)
                found.update((each.file, each) for each in group)
    return list(found.values())


def needed_for_all(collection: Collection, template: int = 1) -> list[Photograph]:
    """Return every photograph. Raises VerificationError where they are too many or too few to compare."""
    needed = [photograph for group in collection.people.values() for photograph in group]
    if template == 1:
        _check_count(len(needed))
    elif max(map(len, collection.people.values())) <= template:
        raise VerificationError(f"nobody has more than {template} photographs")
    return needed


def of_pairs(
    collection: Collection, listed: PairList, acquired: Acquired, embedder: Embedder, template: int = 1
) -> Verification:
    """Compare the pairs of a list. Raises VerificationError."""
    left_out = LeftOut(failures=dict(acquired.failures))
    numbers = {name: number for number, name in enumerate(collection.people)}
    missing: dict[str, None] = {}
    cases: list[_Case] = []
    folds: list[int] = []
    for pair in listed.pairs:
        both = [collection.find(sample) for sample in (pair.reference, pair.probe)]
        missing.update(
            (_told(sample), None)
            for sample, found in zip((pair.reference, pair.probe), both, strict=True)
            if found is None
        )
        if both[0] is None or both[1] is None:
            left_out.pairs["photograph_missing"] += 1
            continue
        case = _case(collection, both[0], both[1], acquired, template)
        if isinstance(case, str):
            left_out.pairs[case] += 1
            continue
        cases.append(case)
        folds.append(pair.fold)
    left_out.missing.extend(missing)
    if not cases:
        raise VerificationError("no pair of the list can be compared: " + _reasons(left_out.pairs))
    comparisons = (
        _crossed(cases, numbers, embedder) if template > 1 else _one_to_one(cases, numbers, embedder)
    )
    used = {file for case in cases for file in (case.reference.file, *case.files)}
    return Verification(
        comparisons=comparisons,
        folds=np.array(folds, np.int32) if listed.folds > 1 and template == 1 else None,
        cross=template > 1,
        people=len({case.reference.person for case in cases} | {case.person for case in cases}),
        photographs=len(used),
        left_out=left_out,
    )


def of_all(collection: Collection, acquired: Acquired, embedder: Embedder, template: int = 1) -> Verification:
    """Compare every photograph with every other, or with the templates. Raises VerificationError."""
    numbers = {name: number for number, name in enumerate(collection.people)}
    groups = {
        name: [each for each in group if each.file in acquired.embeddings]
        for name, group in collection.people.items()
    }
    left_out = LeftOut(failures=dict(acquired.failures))
    if template == 1:
        kept = [photograph for group in groups.values() for photograph in group]
        if len(kept) < 2:
            raise VerificationError("fewer than two photographs with a face")
        comparisons = _all_pairs(kept, numbers, acquired, embedder)
    else:
        cases = [case for group in groups.values() for case in _turns(group, acquired, template)]
        too_few = sum(1 for group in groups.values() if len(group) <= template)
        if too_few:
            left_out.pairs["too_few_photographs_for_a_template"] = too_few
        if not cases:
            raise VerificationError(f"nobody has more than {template} photographs with a face")
        comparisons = _crossed(cases, numbers, embedder)
        kept = list({case.reference.file: case.reference for case in cases}.values())
    return Verification(
        comparisons=comparisons,
        folds=None,
        cross=template > 1,
        people=len({each.person for each in kept}),
        photographs=len(kept),
        left_out=left_out,
    )


@dataclass(frozen=True, kw_only=True)
class _Case:
    """A reference, and whom it is compared with: the fused embedding of some files of one person."""

    reference: Photograph
    likeness: Floats
    person: str
    files: tuple[str, ...]
    fused: Floats


def _case(
    collection: Collection, reference: Photograph, probe: Photograph, acquired: Acquired, template: int
) -> "_Case | str":
    """The case of a pair, or the code of why it cannot be compared."""
    if reference.file == probe.file:
        return "same_photograph_twice"
    likeness = acquired.embeddings.get(reference.file)
    if likeness is None:
        return "failure_to_acquire"
    if template == 1:
        fused = acquired.embeddings.get(probe.file)
        if fused is None:
            return "failure_to_acquire"
        return _Case(
            reference=reference, likeness=likeness, person=probe.person, files=(probe.file,), fused=fused
        )
    ring = [each for each in collection.from_number(probe) if each.file != reference.file]
    files = [each.file for each in ring if each.file in acquired.embeddings][:template]
    if len(files) < template:
        return "too_few_photographs_for_a_template"
    return _Case(
        reference=reference,
        likeness=likeness,
        person=probe.person,
        files=tuple(files),
        fused=_fused(acquired, files),
    )


def _turns(group: Sequence[Photograph], acquired: Acquired, template: int) -> Iterable[_Case]:
    if len(group) <= template:
        return
    for turn in range(min(len(group), MAX_TURNS)):
        ring = [*group[turn:], *group[:turn]]
        files = tuple(each.file for each in ring[1 : 1 + template])
        yield _Case(
            reference=ring[0],
            likeness=acquired.embeddings[ring[0].file],
            person=ring[0].person,
            files=files,
            fused=_fused(acquired, files),
        )


def _fused(acquired: Acquired, files: Sequence[str]) -> Floats:
    """The template of some files: of stills, or as the gate makes it of frames, each other one mirrored."""
    if acquired.sides:
        return fuse([acquired.sides[file][place % 2] for place, file in enumerate(files)])
    return fuse([acquired.embeddings[file] for file in files])


def _one_to_one(cases: Sequence[_Case], numbers: dict[str, int], embedder: Embedder) -> Comparisons:
    return Comparisons(
        scores=np.array([embedder.score(case.likeness, case.fused) for case in cases], np.float64),
        first=np.array([numbers[case.reference.person] for case in cases], np.int32),
        second=np.array([numbers[case.person] for case in cases], np.int32),
    )


def _crossed(cases: Sequence[_Case], numbers: dict[str, int], embedder: Embedder) -> Comparisons:
    """The mated cases as they are; and each reference with each template of somebody else, once."""
    references = {case.reference.file: case for case in cases}
    templates = {case.files: case for case in cases}
    if len(references) * len(templates) > MAX_COMPARISONS:
        raise VerificationError(f"more than {MAX_COMPARISONS} cross comparisons: give fewer people")
    fused = np.stack([case.fused for case in templates.values()])
    whose = np.array([numbers[case.person] for case in templates.values()], np.int32)
    scores, first, second = [], [], []
    for case in references.values():
        number = numbers[case.reference.person]
        others = whose != number
        scores.append(embedder.scores(case.likeness, fused[others]))
        first.append(np.full(int(others.sum()), number, np.int32))
        second.append(whose[others])
    mated = _one_to_one([case for case in cases if case.reference.person == case.person], numbers, embedder)
    return Comparisons(
        scores=np.concatenate([mated.scores, *scores]),
        first=np.concatenate([mated.first, *first]),
        second=np.concatenate([mated.second, *second]),
    )


def _all_pairs(
    kept: Sequence[Photograph], numbers: dict[str, int], acquired: Acquired, embedder: Embedder
) -> Comparisons:
    _check_count(len(kept))
    vectors = np.stack([acquired.embeddings[each.file] for each in kept])
    whose = np.array([numbers[each.person] for each in kept], np.int32)
    rows = [embedder.scores(vectors[row], vectors[row + 1 :]) for row in range(len(kept) - 1)]
    sizes = np.arange(len(kept) - 1, 0, -1)
    return Comparisons(
        scores=np.concatenate(rows),
        first=np.repeat(whose[:-1], sizes),
        second=np.concatenate([whose[row + 1 :] for row in range(len(kept) - 1)]),
    )


def _check_count(photographs: int) -> None:
    """Raise VerificationError for more comparisons of all with all than fit in memory."""
    count = photographs * (photographs - 1) // 2
    if count > MAX_COMPARISONS:
        raise VerificationError(
            f"{count} comparisons are more than {MAX_COMPARISONS}: give fewer photographs"
        )


def _told(sample: Sample) -> str:
    return f"{sample.person} {sample.number}"


def _reasons(pairs: Counter[str]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in sorted(pairs.items()))
