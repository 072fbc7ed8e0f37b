"""The schema of `manifest.toml`: what an entry must say, and what is asked of it.

The values are plain and frozen; `models.manifest` reads them from the file and checks the files they name.
"""

import hashlib
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gated.core.values import Value

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Side = Annotated[int, Meta(ge=16, le=1024)]
Unit = Annotated[float, Meta(ge=0, le=1)]
Zoom = Annotated[float, Meta(ge=0.5, le=2)]
Triple = tuple[float, float, float]


class ModelError(Exception):
    """A model cannot be used: the text names the model, the fault and the fix."""

    def __init__(self, model: str, fault: str, fix: str) -> None:
        super().__init__(f"{model}: {fault}: {fix}")
        self.model = model
        self.fault = fault
        self.fix = fix


class ImageInput(Value):
    """One image, height x width x 3, float32: `(pixel - mean) / std` for pixels of 0..255."""

    width: Side
    height: Side
    colour: Literal["rgb", "bgr"]
    mean: Triple
    std: Triple


class Entry(Value):
    """A model file. `file` is `package:path` inside an installed package, or a path beside the manifest."""

    file: Annotated[str, Meta(min_length=1, max_length=255)]
    sha256: Sha256
    licence: str
    provenance: str
    input: ImageInput
    outputs: tuple[tuple[int, ...], ...]


class BuiltFrom(Value):
    """The weights that `python -m models.build` converts."""

    file: str
    sha256: Sha256
    licence: str


class AlignmentPoint(Value):
    """Where the mean of some mesh points lies in the input image of an embedder, in its pixels."""

    landmarks: Annotated[tuple[Annotated[int, Meta(ge=0, le=467)], ...], Meta(min_length=1)]
    x: float
    y: float


class Score(Value):
    """A comparison score in [0, 1]: linear between the metric's value at 0 and at 1, cut at both ends."""

    zero: float
    one: float


class Threshold(Value):
    """The score at which the measured false match rate is `fmr`, and what else was measured there."""

    fmr: Unit
    score: Unit
    fnmr: Unit


class Measurement(Value):
    """One image against the fusion of `images` others: the thresholds, and how they came about."""

    images: Annotated[int, Meta(ge=1, le=64)]
    command: str
    material: str
    genuine_pairs: int
    impostor_pairs: int
    thresholds: Annotated[tuple[Threshold, ...], Meta(min_length=1)]


class Golden(Value):
    """What an embedder gave for a known input where it was made: the first numbers of its embedding.

    The input is `models.trial.pattern(seed)`, of the size of the model's own.
    """

    seed: Annotated[str, Meta(min_length=1, max_length=64)]
    embedding: Annotated[tuple[float, ...], Meta(min_length=8, max_length=1024)]


class Embedder(Entry):
    """A face embedder: alignment, metric, and the thresholds that were measured.

    A threshold belongs to a number of fused images: the more, the higher impostors score too. `golden`: by
    which a gate sees that the network computes here what it computed where it was measured.
    """

    metric: Literal["euclidean", "cosine"]
    mirror: bool  # the mirror image is a view too
    alignment: Annotated[tuple[AlignmentPoint, ...], Meta(min_length=2)]
    score: Score
    measured: Annotated[tuple[Measurement, ...], Meta(min_length=1)]
    zooms: Annotated[tuple[Zoom, ...], Meta(min_length=1, max_length=8)] = (1.0,)  # of the views of a still
    built_from: BuiltFrom | None = None
    golden: Annotated[tuple[Golden, ...], Meta(max_length=8)] = ()

    @property
    def version(self) -> str:
        """SHA-256 over all that an embedding depends on: embeddings of one version compare, others do not."""
        made = (self.sha256, self.input, self.outputs, self.metric, self.mirror, self.alignment, self.zooms)
        return hashlib.sha256(msgspec.json.encode(made)).hexdigest()

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """Those of the largest fusion that was measured: the strictest."""
        return self.measurement(64).thresholds

    def measurement(self, images: int) -> Measurement:
        """Return what was measured of fusions of `images`: of the next larger ones, or of the largest."""
        by_size = sorted(self.measured, key=lambda each: each.images)
        return next((each for each in by_size if each.images >= images), by_size[-1])


class Detector(Entry):
    """A single-shot face detector with one anchor a cell."""

    stride: Annotated[int, Meta(ge=2, le=64)]
    min_score: Unit


class Landmarks(Entry):
    """A face mesh of 468 points and a face-presence score."""

    min_presence: Unit


class MotionWeights(Value):
    """What the logarithm of each sign adds to the logit of relief; see `models.liveness.motion`."""

    turned: float
    error: float
    relief: float
    bend: float


class MotionLiveness(Value):
    """Constants of the motion check, in the units of `models.liveness.motion`."""

    min_frames: Annotated[int, Meta(ge=3, le=120)]
    window: Annotated[int, Meta(ge=3, le=120)]
    min_eyes_px: Annotated[float, Meta(gt=0)]
    max_misfit: Annotated[float, Meta(gt=0)]
    max_error: Annotated[float, Meta(gt=0)]
    enough_growth: Annotated[float, Meta(gt=0)]
    enough_span: Annotated[float, Meta(gt=0)]
    attack_frames: Annotated[int, Meta(ge=3, le=120)]
    attack_growth: Annotated[float, Meta(gt=0)]
    attack_tilt: Annotated[float, Meta(gt=0)]
    attack_error: Annotated[float, Meta(gt=0)]
    most: Annotated[float, Meta(gt=0, le=20)]
    weights: MotionWeights
    bias: float


class LivenessCaps(Value):
    """The largest log likelihood ratio, either way, that each cue may add; see `models.liveness.fusion`."""

    motion: Annotated[float, Meta(gt=0, le=20)]
    depth: Annotated[float, Meta(gt=0, le=20)]
    infrared: Annotated[float, Meta(gt=0, le=20)]
    light: Annotated[float, Meta(gt=0, le=20)]
    background: Annotated[float, Meta(gt=0, le=20)]
    recapture: Annotated[float, Meta(gt=0, le=20)]
    blink: Annotated[float, Meta(gt=0, le=20)]


class Liveness(Value):
    """How cues are joined, and from which score on they are a verdict; `measured`: what came of it.

    `answer_score`: from this score of the cue of light on, the face has answered the lamp.
    """

    prior: Annotated[float, Meta(gt=0, lt=1)]  # of a bona fide presentation, before any cue
    live_score: Unit
    attack_score: Unit
    answer_score: Unit
    caps: LivenessCaps
    motion: MotionLiveness
    measured: str


class PageNetwork(Value):
    """A network of the MRZ reader: one grey image in, normalised to zero mean and unit deviation."""

    file: Annotated[str, Meta(min_length=1, max_length=255)]
    sha256: Sha256
    licence: str
    provenance: str
    width: Side
    height: Side
    outputs: tuple[tuple[int, ...], ...]


class PageMeasurement(Value):
    """How often whole zones were read right: `read` and exact, `read` and wrong, of so many images."""

    command: str
    material: str
    images: int
    exact: Unit
    wrong: Unit


class MrzReading(Value):
    """The two networks that read a zone from a page, and the temperature of the reader's probabilities."""

    finder: PageNetwork
    reader: PageNetwork
    temperature: Annotated[float, Meta(ge=1, le=5)]
    measured: Annotated[tuple[PageMeasurement, ...], Meta(min_length=1)]


class Outlines(Value):
    """The networks that tell a person from what is behind them; `outputs` are the features at the cut."""

    head: Entry
    body: Entry
    measured: str


class QualityNeeds(Value):
    """What a face must have before it may be matched; see `models.quality.needs`. Angles in degrees."""

    min_eyes_px: Annotated[float, Meta(gt=0)]
    max_share: Annotated[float, Meta(gt=0, le=1)]  # of the image's width or height that a face may span
    max_cut: Annotated[float, Meta(ge=0, lt=0.5)]  # of a face's width or height that may lie outside
    max_yaw: Annotated[float, Meta(gt=0, lt=90)]
    max_pitch: Annotated[float, Meta(gt=0, lt=90)]
    max_roll: Annotated[float, Meta(gt=0, lt=90)]
    min_sharpness: Annotated[float, Meta(ge=0)]
    min_luminance: Unit  # mean of the face
    max_over_exposed: Unit  # share of the face


class QualityWorth(Value):
    """What a unit of each shortcoming takes from a comparison score; see `models.quality.worth`."""

    dark: Annotated[float, Meta(ge=0)]
    bright: Annotated[float, Meta(ge=0)]
    blur: Annotated[float, Meta(ge=0)]
    yaw: Annotated[float, Meta(ge=0)]
    pitch: Annotated[float, Meta(ge=0)]
    roll: Annotated[float, Meta(ge=0)]
    lids: Annotated[float, Meta(ge=0)]
    far: Annotated[float, Meta(ge=0)]
    doubt: Annotated[float, Meta(ge=0)]
    cut: Annotated[float, Meta(ge=0)]
    covered: Annotated[float, Meta(ge=0)]
    closed: Annotated[float, Meta(ge=0)]


class Quality(Value):
    """Constants of the quality check; `measured`: where from, and what they are worth."""

    needs: QualityNeeds
    worth: QualityWorth
    measured: str


class HeadThresholds(Value):
    """The probability from which each of the heads counts as having found something."""

    mask: Unit
    sunglasses: Unit
    head_covering: Unit
    eyes_closed: Unit


class HeadMeasurement(Value):
    """How often the heads erred: `alarms` on faces without, `misses` on faces with, each of how many.

    In the order of HeadThresholds: mask, sunglasses, head covering, eyes closed.
    """

    command: str
    material: str
    alarms: tuple[int, int, int, int]
    without: tuple[int, int, int, int]
    misses: tuple[int, int, int, int]
    having: tuple[int, int, int, int]


class Heads(Entry):
    """The network that sees masks, sunglasses, head coverings and closed eyes: one logit each."""

    # a probability farther than this from both 0 and 1: the mirror image is read too, the mean logits count
    doubt: Annotated[float, Meta(ge=0, le=0.5)]
    thresholds: HeadThresholds
    measured: Annotated[tuple[HeadMeasurement, ...], Meta(min_length=1)]


class RecaptureMeasurement(Value):
    """Error rates of single frames at `threshold`, as ISO/IEC 30107-3 words them, and how they came about.

    `apcer`: of the worst of the instruments; `apcer_mean`: over all of them.
    """

    command: str
    material: str
    bona_fide: int
    attacks: int
    apcer: Unit
    apcer_mean: Unit
    bpcer: Unit
    eer: Unit


class Recapture(Value):
    """The network that tells a print or screen from one frame; see `models.liveness.recapture`."""

    file: Annotated[str, Meta(min_length=1, max_length=255)]
    sha256: Sha256
    licence: str
    provenance: str
    temperature: Annotated[float, Meta(ge=0.2, le=5)]
    threshold: Annotated[float, Meta(gt=0, lt=1)]  # probability from which one frame counts as a re-capture
    min_face_px: Annotated[float, Meta(gt=0)]
    min_sharpness: Annotated[float, Meta(ge=0)]
    measured: Annotated[tuple[RecaptureMeasurement, ...], Meta(min_length=1)]


class Manifest(Value):
    """All models."""

    detector: Detector
    landmarks: Landmarks
    embedders: dict[Name, Embedder]
    quality: Quality
    heads: Heads
    liveness: Liveness
    recapture: Recapture
    mrz: MrzReading
    height: Outlines

    def threshold(self, name: str, fmr: float, images: int | None = None) -> float:
        """Return the score at which the embedder called `name` was measured to have this false match rate.

        `images`: how many are fused; without it, the threshold is that of the largest fusion, the strictest.
        Raises ModelError: nothing is interpolated, since a rate that was not measured is not known.
        """
        return threshold(name, embedder(self, name), fmr, images)


def embedder(manifest: Manifest, name: str) -> Embedder:
    """Return the embedder called `name`, or raise ModelError naming those there are."""
    try:
        return manifest.embedders[name]
    except KeyError:
        known = ", ".join(sorted(manifest.embedders))
        raise ModelError(
            name, "no such embedder in the manifest", f"set vision.embedder to {known}"
        ) from None


def threshold(name: str, entry: Embedder, fmr: float, images: int | None = None) -> float:
    """Return the measured threshold of one embedder, as `Manifest.threshold` does. Raises ModelError."""
    thresholds = entry.thresholds if images is None else entry.measurement(images).thresholds
    known = {each.fmr: each.score for each in thresholds}
    try:
        return known[fmr]
    except KeyError:
        measured = ", ".join(f"{rate:g}" for rate in sorted(known))
        raise ModelError(name, f"no threshold for FMR {fmr:g}", f"choose from {measured}") from None
