"""What people wear, hold up and do before the camera, as the gate's own models see it."""

from typing import get_args

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from hw_sim.camera import dots, people, screen, staging
from hw_sim.camera.eyelids import Blinks
from hw_sim.camera.figure import Figure, Matter
from hw_sim.camera.presence import (
    Apparel,
    Lit,
    MaskWearer,
    Presence,
    Scene,
    TabletHolder,
    Walker,
    Waypoint,
    Wearable,
)
from hw_sim.camera.raster import Patch
from hw_sim.camera.render import GATE_LENS, Mount
from hw_sim.camera.scene import picture, prepare, unknown_person
from hw_sim.camera.sensing import depth_picture, infrared_picture
from models import manifest
from models.face import Detection, Face, FaceReader, eye_centres
from tests.hw_sim.presences import at, mask, sheet, standing, tablet
from tests.hw_sim.test_people import Gallery

Bytes = npt.NDArray[np.uint8]

APPAREL: tuple[Apparel, ...] = get_args(Apparel)
LIDS = ((160, 159, 158, 387, 386, 385), (144, 145, 153, 373, 374, 380))
FOREHEAD, CHEEKS, CHIN, MOUTH = 151, (50, 280), 199, 13


def seen(*present: Presence, time_s: float = 1.0, light: tuple[Lit, ...] = ()) -> Bytes:
    return picture(Scene(present=present, light=light), time_s)


@pytest.fixture(scope="module")
def reader() -> FaceReader:
    return FaceReader(manifest.load())


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    return Gallery()


def mesh(reader: FaceReader, image: Bytes) -> Face:
    faces: tuple[Detection, ...] = reader.detect(image)
    face = reader.read(image, faces[0])
    assert face is not None
    return face


def light_at(image: Bytes, face: Face, point: int, half_px: int = 6) -> float:
    x, y = (round(n) for n in face.points[point, :2])
    return float(image[y - half_px : y + half_px, x - half_px : x + half_px].mean())


def changed(first: Bytes, second: Bytes) -> npt.NDArray[np.bool_]:
    """Where two pictures differ by more than noise could."""
    blurred = (cv2.GaussianBlur(image.astype(np.float32), (0, 0), 2) for image in (first, second))
    return np.asarray(np.abs(next(blurred) - next(blurred)).max(axis=2) > 8)


# --- blinking -------------------------------------------------------------------------------------


def closings(seed: int, minutes: int = 5) -> list[float]:
    """When the eyes of somebody become shut."""
    times = np.arange(0, 60 * minutes, 0.02)
    shut = np.array([Blinks(seed).closed(float(time_s)) for time_s in times]) > 0.9
    return [float(time_s) for time_s in times[1:][shut[1:] & ~shut[:-1]]]


@pytest.mark.parametrize("seed", range(4))
def test_people_blink_some_seventeen_times_a_minute_and_never_by_the_clock(seed: int) -> None:
    begins = closings(seed)
    assert 15 <= len(begins) / 5 <= 22
    assert np.std(np.diff(begins)) > 0.7


def test_a_blink_shuts_the_eyes_for_a_quarter_of_a_second_and_lets_them_open_again() -> None:
    closed = np.array([Blinks(1).closed(time_s) for time_s in np.arange(0, 60, 0.005)])
    assert closed.min() == 0
    assert closed.max() == 1
    blinking = closed > 0
    lasts = 0.005 * blinking.sum() / (blinking[1:] & ~blinking[:-1]).sum()
    assert 0.2 < lasts < 0.4


def test_everybody_blinks_at_times_of_their_own() -> None:
    assert closings(1) == closings(1)
    assert closings(1) != closings(2)


def opening(face: Face) -> float:
    """Distance between the lids, in eye distances."""
    upper, lower = (face.points[list(ring), :2] for ring in LIDS)
    return float(np.hypot(*(upper - lower).T).mean()) / face.eye_distance


@pytest.mark.parametrize("name", ["ada", "carl", "emmy", "sofia", "stranger-9"])
def test_closed_eyes_are_seen_closed(reader: FaceReader, name: str) -> None:
    (time_s, *_) = closings(4)
    shut, awake = (
        picture(Scene(present=(Walker(person=name, path=at(0.8), seed=4, blinks=blinks),)), time_s + 0.02)
        for blinks in (True, False)
    )
    assert opening(mesh(reader, shut)) < 0.9 * opening(mesh(reader, awake))
    where = np.argwhere(changed(shut, awake))
    eyes = eye_centres(mesh(reader, awake).points)
    assert np.abs(where[:, 0] - eyes[:, 1].mean()).max() < 0.5 * mesh(reader, awake).eye_distance


def test_between_blinks_nothing_tells_who_blinks() -> None:
    time_s = closings(4)[0] - 0.5
    blinking, staring = (
        picture(Scene(present=(Walker(person="ada", path=at(0.8), seed=4, blinks=blinks),)), time_s)
        for blinks in (True, False)
    )
    assert (blinking == staring).all()


# --- what is worn ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", APPAREL)
@pytest.mark.parametrize("name", ["carl", "emmy", "kurt", "sofia", "stranger-11"])
def test_whatever_somebody_wears_the_gate_finds_one_face_and_its_eyes(
    reader: FaceReader, name: str, kind: Apparel
) -> None:
    bare = mesh(reader, seen(standing(name)))
    image = seen(standing(name, Wearable(kind=kind, style=1)))
    (_,) = reader.detect(image)
    shift = eye_centres(mesh(reader, image).points) - eye_centres(bare.points)
    assert np.abs(shift).max() < 0.2 * bare.eye_distance


def test_a_mask_covers_nose_mouth_and_chin_and_nothing_above(reader: FaceReader) -> None:
    bare, masked = seen(standing("ada")), seen(standing("ada", Wearable(kind="mask")))
    face, covered = mesh(reader, bare), changed(bare, masked)
    for point, hidden in (
        (1, True),
        (MOUTH, True),
        (CHIN, True),
        (FOREHEAD, False),
        (33, False),
        (263, False),
    ):
        x, y = (round(n) for n in face.points[point, :2])
        assert covered[y - 2 : y + 3, x - 2 : x + 3].mean() > 0.5 if hidden else not covered[y, x], point


def test_sunglasses_are_dark_and_glasses_clear(reader: FaceReader) -> None:
    bare = seen(standing("sofia"))
    face = mesh(reader, bare)
    dark, clear = (
        seen(standing("sofia", Wearable(kind=kind))) for kind in ("sunglasses", "glasses")
    )  # fmt: skip
    below = [eye_centres(face.points)[side] + np.array([0, 6]) for side in (0, 1)]
    for x, y in ((round(p[0]), round(p[1])) for p in below):
        area = (slice(y - 3, y + 4), slice(x - 8, x + 9))
        assert dark[area].mean() < 0.5 * bare[area].mean()
        assert clear[area].mean() == pytest.approx(bare[area].mean(), rel=0.15)


@pytest.mark.parametrize("kind", ["glasses", "cap", "headscarf"])
def test_who_keeps_the_face_free_is_still_recognised(gallery: Gallery, kind: Apparel) -> None:
    found = gallery.embedding(seen(standing("carl", Wearable(kind=kind, style=3))))
    assert gallery.embedder.score(found, gallery.photos["carl"]) > gallery.threshold(0.001)


def test_a_headscarf_hides_long_hair() -> None:
    behind = people.figure("sofia").behind
    assert behind is not None
    dressed = staging._figure("sofia", None, (Wearable(kind="headscarf"),))
    assert dressed.behind is None


def test_what_is_taken_off_is_gone_and_what_is_put_on_later_is_not_there_before() -> None:
    off = standing("ada", Wearable(kind="mask", until_s=2.0))
    on = standing("ada", Wearable(kind="cap", since_s=2.0))
    bare = standing("ada")
    assert changed(seen(off, time_s=1.9), seen(bare, time_s=1.9)).any()
    assert (seen(off, time_s=2.0) == seen(bare, time_s=2.0)).all()
    assert (seen(on, time_s=1.9) == seen(bare, time_s=1.9)).all()
    assert changed(seen(on, time_s=2.0), seen(bare, time_s=2.0)).any()


def test_styles_differ_and_are_fixed() -> None:
    def styled(style: int) -> Bytes:
        staging._figure.cache_clear()
        return seen(standing("kurt", Wearable(kind="mask", style=style)))

    assert (styled(3) == styled(3)).all()
    assert changed(styled(3), styled(4)).any()


def test_a_child_can_wear_what_adults_wear(reader: FaceReader) -> None:
    child = Walker(
        person="carl",
        path=at(1.0),
        seed=4,
        stature_m=1.2,
        wears=(Wearable(kind="mask"), Wearable(kind="cap")),
    )
    image = picture(Scene(present=(child,), mount=Mount(1.2)), 1.0)
    (_,) = reader.detect(image)


# --- screens, prints and masks of paper -----------------------------------------------------------


@pytest.mark.parametrize("device", ["tablet", "phone"])
def test_a_screen_shows_whom_it_shows(gallery: Gallery, device: screen.Device) -> None:
    holder = TabletHolder(person="carl", video_of="ada", path=at(0.8), seed=6, device=device)
    found = gallery.embedding(seen(holder))
    assert gallery.embedder.score(found, gallery.photos["ada"]) > gallery.threshold(0.001)
    holder = gallery.embedder.score(found, gallery.photos["carl"])
    assert holder < gallery.embedder.score(found, gallery.photos["ada"]) - 0.2


def test_a_film_moves_and_blinks_by_itself() -> None:
    frames = [screen.film("ada", "tablet", 6, time_s) for time_s in np.arange(0, 8, 1 / 15)]
    still = np.abs(np.diff(np.stack(frames[:10]).astype(np.int16), axis=0))
    assert still.mean() > 0.2
    assert (
        screen.film("ada", "tablet", 6, 3.0) == screen.film("ada", "tablet", 6, 3.01)
    ).all()  # 30 a second
    assert (screen.film("ada", "tablet", 7, 3.0) != screen.film("ada", "tablet", 6, 3.0)).any()


def test_a_screen_shines_whatever_the_light_of_the_hall() -> None:
    def gains(shown: Presence, matter: Matter) -> float:
        return [
            part.optics.gain for part in staging.parts(Scene(present=(shown,)), 1.0) if part.matter is matter
        ][-1]

    screens, prints = set(), set()
    for seed in range(6):
        screens.add(gains(tablet("ada", at(0.9), seed=seed), Matter.SCREEN))
        prints.add(gains(sheet("ada", at(0.9), seed=seed), Matter.PRINT))
    assert screens == {1.0}
    assert np.ptp(list(prints)) > 0.05


def test_the_hands_lie_over_what_they_hold_and_the_device_over_its_holder(reader: FaceReader) -> None:
    holder = tablet("ada", at(1.0), person="emmy")
    image = seen(holder)
    (face,) = reader.detect(image)  # the holder's own is behind the screen
    box = np.array(face.box).round().astype(int)
    assert box[3] - box[1] > 60
    kinds = [part.matter for part in staging.parts(Scene(present=(holder,)), 1.0)]
    lit = max(i for i, kind in enumerate(kinds) if kind is Matter.SCREEN)
    assert lit == len(kinds) - 2  # only the thumbs come after


def test_dots_are_seen_only_from_near() -> None:
    near, far = (screen.dots("tablet", 0.17, GATE_LENS, distance_m).contrast for distance_m in (0.12, 0.5))
    assert near > 0.1
    assert far < 0.002
    assert dots.contrast(0.0) == 1
    assert [dots.contrast(c) for c in (0.2, 0.5, 1.0, 1.4)] == sorted(
        (dots.contrast(c) for c in (0.2, 0.5, 1.0, 1.4)), reverse=True
    )


def test_moire_is_what_sampling_makes_of_a_grid() -> None:
    """A grid of 1.04 cycles a pixel comes out as one of 0.04: a period of 25 pixels."""
    xs = np.tile(np.arange(200, dtype=np.float32), (8, 1))
    patch = Patch(0, 0, 200, 8, xs, np.zeros_like(xs), np.full((8, 200), 255, np.uint8))
    laid = dots.Dots(1.04, 0.2).laid(np.full((8, 200, 3), 128, np.uint8), patch)
    wave = laid[0, :, 2].astype(float)
    spectrum = np.abs(np.fft.rfft(wave - wave.mean()))
    assert np.argmax(spectrum) == 8  # 200 pixels hold eight periods of 25


@pytest.mark.parametrize("eye_holes", [False, True])
def test_a_paper_mask_shows_whom_it_shows(gallery: Gallery, *, eye_holes: bool) -> None:
    wearer = MaskWearer(person="carl", photo_of="ada", path=at(0.9), seed=6, eye_holes=eye_holes)
    found = gallery.embedding(seen(wearer))
    assert gallery.embedder.score(found, gallery.photos["ada"]) > gallery.threshold(0.001)
    holder = gallery.embedder.score(found, gallery.photos["carl"])
    assert holder < gallery.embedder.score(found, gallery.photos["ada"]) - 0.2


def test_through_holes_in_a_mask_the_eyes_blink() -> None:
    time_s = closings(6)[0] + 0.02

    def blink_is_seen(*, eye_holes: bool) -> bool:
        awake, shut = (
            MaskWearer(
                person="carl", photo_of="ada", path=at(0.8), seed=6, eye_holes=eye_holes, blinks=blinks
            )
            for blinks in (False, True)
        )
        return bool(changed(seen(awake, time_s=time_s), seen(shut, time_s=time_s)).any())

    assert blink_is_seen(eye_holes=True)
    assert not blink_is_seen(eye_holes=False)


@pytest.mark.parametrize(
    "shown",
    [
        tablet("zoe", at(1)),
        mask("zoe", at(1)),
        mask("carl", at(1), person="zoe"),
    ],
)
def test_whom_a_screen_or_a_mask_shows_must_exist(shown: Presence) -> None:
    assert unknown_person(Scene(present=(shown,))) == "nobody is called zoe"


@pytest.mark.parametrize(
    "shown",
    [
        tablet("ada", at(0.8)),
        mask("ada", at(0.8)),
        sheet("ada", at(0.8)),
        standing("carl", Wearable(kind="sunglasses"), Wearable(kind="headscarf")),
    ],
)
def test_the_same_presentation_gives_the_same_bytes(shown: Presence) -> None:
    lit = (Lit(since_s=0),)
    first = seen(shown, light=lit)
    for made in (staging._figure, staging._masked, staging._print, staging._grip, screen._frame):
        made.cache_clear()
    prepare(Scene(present=(shown,)))
    assert (seen(shown, light=lit) == first).all()


# --- the face light -------------------------------------------------------------------------------


def brightening(reader: FaceReader, shown: Presence, point: int) -> float:
    """How much brighter a place in a face is with the gate's light on."""
    dark, lit = seen(shown), seen(shown, light=(Lit(since_s=0.5),))
    face = mesh(reader, dark)
    return light_at(lit, face, point) / light_at(dark, face, point) - 1


def test_the_light_brightens_near_faces_more_than_far_ones(reader: FaceReader) -> None:
    near, far = (
        brightening(reader, standing("emmy", distance_m=distance_m), 4) for distance_m in (0.75, 1.5)
    )
    assert near > 0.10
    assert near == pytest.approx(4 * far, rel=0.5)  # the square of the distance


def test_the_light_shows_relief_on_a_face_and_none_on_paper(reader: FaceReader) -> None:
    sides = (93, 323)  # where the cheeks turn away

    def relief(shown: Presence) -> float:
        front = brightening(reader, shown, 4)
        return front - float(np.mean([brightening(reader, shown, point) for point in sides]))

    face = relief(standing("emmy", distance_m=0.9))
    paper = relief(sheet("emmy", at(1.2)))
    assert face > 0.03
    assert face > 3 * abs(paper)


def test_the_light_hardly_brightens_a_screen(reader: FaceReader) -> None:
    holder = tablet("emmy", at(1.1))
    chin = brightening(reader, holder, CHIN)
    assert chin < 0.4 * brightening(reader, sheet("emmy", at(1.1)), CHIN)


def test_the_light_shines_only_while_it_is_on() -> None:
    ada = standing("ada")
    light = (Lit(since_s=0.5, until_s=0.8), Lit(since_s=1.4))
    for time_s, on in ((0.4, False), (0.5, True), (0.8, False), (1.0, False), (1.4, True), (9.0, True)):
        same = (seen(ada, time_s=time_s, light=light) == seen(ada, time_s=time_s)).all()
        assert same is not np.bool_(on)
        assert bool(same) is not on


# --- how people come ------------------------------------------------------------------------------


def detail(image: Bytes, face: Face) -> float:
    """Vertical detail about the eyes."""
    (x, y), half = eye_centres(face.points).mean(0), face.eye_distance
    area = image[round(y - 0.4 * half) : round(y + 0.4 * half), round(x - half) : round(x + half)]
    return float(cv2.Sobel(area.astype(np.float32), cv2.CV_32F, 0, 1).std())


def test_who_hurries_is_smeared(reader: FaceReader) -> None:
    still = Walker(person="sofia", path=at(1.0), seed=4, blinks=False)
    times = np.arange(0.85, 1.16, 0.05)
    fast = tuple(Waypoint(time_s=t, distance_m=3.0 - 2.0 * t) for t in (0.0, 1.2))
    hurrying = Walker(person="sofia", path=fast, seed=4, blinks=False)
    sharp = [detail(image, mesh(reader, image)) for image in (seen(still, time_s=float(t)) for t in times)]
    smeared = [
        detail(image, mesh(reader, image)) for image in (seen(hurrying, time_s=float(t)) for t in times)
    ]
    assert min(smeared) < 0.8 * float(np.mean(sharp))


def test_a_bystander_is_a_second_smaller_face(reader: FaceReader) -> None:
    near = standing("ada", distance_m=0.8)
    behind = Walker(person="kurt", path=at(1.7), seed=9, aside_m=0.35)
    first, second = reader.detect(seen(near, behind))
    assert first.area > 2 * second.area
    assert second.eyes[:, 0].mean() > first.eyes[:, 0].mean()


@pytest.mark.parametrize("name", people.CHILDREN)
def test_a_child_is_seen_with_the_eyes_of_its_own_small_head(reader: FaceReader, name: str) -> None:
    stature_m = people.CHILDREN[name].stature_m
    assert stature_m is not None
    child = Walker(person=name, path=at(1.0), seed=4, blinks=False)
    image = picture(Scene(present=(child,), mount=Mount(stature_m - 0.1)), 1.0)
    own, grown_up = (_eye_distance(body) for body in (people.figure(name), people.grown_up(name)))
    assert mesh(reader, image).eye_distance / GATE_LENS.focal_px == pytest.approx(own, rel=0.07)
    assert own < 0.92 * grown_up


def _eye_distance(body: Figure) -> float:
    """Metres between the eyes of a figure."""
    face = body.head.points[body.face]
    return float(np.linalg.norm(np.diff(eye_centres(face.astype(np.float64)), axis=0)))


# --- other cameras --------------------------------------------------------------------------------


def test_depth_is_the_distance_of_what_is_seen(reader: FaceReader) -> None:
    ada = standing("ada", distance_m=1.0)
    face = mesh(reader, seen(ada))
    depth = depth_picture(Scene(present=(ada,)), 1.0)
    x, y = (round(n) for n in eye_centres(face.points).mean(0))
    assert np.median(depth[y - 5 : y + 6, x - 5 : x + 6]) == pytest.approx(1000, abs=40)
    nose, ear = (np.median(_around(depth, face, point)) for point in (1, 234))
    assert 40 < ear - nose < 110


def _around(depth: npt.NDArray[np.uint16], face: Face, point: int) -> npt.NDArray[np.uint16]:
    x, y = (round(n) for n in face.points[point, :2])
    inside = x + (3 if point != 234 else 6)
    return depth[y - 2 : y + 3, inside - 2 : inside + 3]


def test_in_depth_a_print_and_a_screen_are_flat_and_a_face_is_not(reader: FaceReader) -> None:
    def unevenness(shown: Presence) -> float:
        """Millimetres about the plane that fits a face best."""
        face = mesh(reader, seen(shown))
        depth = depth_picture(Scene(present=(shown,)), 1.0)
        points = np.round(face.points[::3, :2]).astype(int)
        z = depth[points[:, 1], points[:, 0]].astype(float)
        plane = np.column_stack([points, np.ones(len(points))])
        return float((z - plane @ np.linalg.lstsq(plane, z, rcond=None)[0]).std())

    assert unevenness(standing("carl", distance_m=0.9)) > 8
    assert unevenness(sheet("ada", at(1.1))) < 2
    assert unevenness(tablet("ada", at(1.1))) < 2


def test_an_empty_lane_has_depth_on_its_floor_alone() -> None:
    depth = depth_picture(Scene(mount=Mount(1.6, tilt=0.2)), 1.0)
    assert (depth[:300] == 0).all()
    column = depth[660:, 640].astype(float)
    assert (column > 0).all()
    assert np.all(np.diff(cv2.GaussianBlur(column[None], (0, 0), 5)[0]) < 0)  # nearer further down


def test_in_infrared_a_screen_is_dark_and_ink_is_gone(reader: FaceReader) -> None:
    def contrast_and_light(shown: Presence) -> tuple[float, float]:
        box = np.round(mesh(reader, seen(shown)).points[:, :2]).astype(int)
        grey = infrared_picture(Scene(present=(shown,)), 1.0)[box[:, 1], box[:, 0]].astype(float)
        return float(grey.std() / grey.mean()), float(np.median(grey))

    face = contrast_and_light(standing("emmy", distance_m=0.9))
    print_ = contrast_and_light(sheet("emmy", at(1.2)))
    screen_ = contrast_and_light(tablet("emmy", at(1.2)))
    assert face[0] > 3 * print_[0]
    assert screen_[1] < 0.3 * face[1]


def test_other_cameras_give_the_same_bytes_again() -> None:
    scene = Scene(present=(standing("ada", Wearable(kind="glasses")),))
    assert (depth_picture(scene, 1.0) == depth_picture(scene, 1.0)).all()
    assert (infrared_picture(scene, 1.0) == infrared_picture(scene, 1.0)).all()
    assert (depth_picture(scene, 1.1) != depth_picture(scene, 1.0)).any()
