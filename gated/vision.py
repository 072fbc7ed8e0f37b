"""`gate-vision`: everything that touches pixels. It sees and says what it saw; it decides nothing.

It decodes images that a stranger supplied, with native code, so it has no network, no disk and no device but
the cameras, and it may be killed at any time: `gated` notices and goes on without it. One thread: while a
page is read or a capture runs it works frame by frame, else it waits for a message and the cameras sleep.
"""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from msgspec.structs import replace

from drivers.camera import Camera
from drivers.pictures import Colours, Distances, Pictures
from gated import logs
from gated.config import ConfigError, GateConfig, decided, load
from gated.core.portraits import Portrait
from gated.core.settings.cameras import FaceCameraSettings
from gated.core.vocabulary import Hint, Liveness
from gated.runtime import messages as say
from gated.runtime.bus import Peer
from gated.runtime.notify import Notifier
from gated.runtime.resident import stay_resident
from gated.seeing.crowd import Crowd
from gated.seeing.embedders import Embedders, find
from gated.seeing.eye import Eye
from gated.seeing.eyes import Eyes, Rate
from gated.seeing.guide import Guide
from gated.seeing.page import PageWatch
from gated.tokens.token import Binding, Model, TokenError, seal_template
from models import installed, manifest, trial
from models.face import FaceReader
from models.height import calibration
from models.height.stature import HeightCheck
from models.image import ImageError, decode, thumbnail, use_one_thread
from models.liveness.check import LivenessCheck
from models.liveness.recapture import RecaptureHead
from models.manifest import ModelError
from models.matching.estimation import Bounds, FalseMatches
from models.observer import Observer, Verdict
from models.quality.check import QualityCheck
from models.rehearsal import rehearse
from models.tflite import Image

IDLE_S = 0.5  # how long an idle turn waits for a message; one that comes is taken at once
WAKE_S = 30.0  # awake without a capture for longer, the camera goes back to sleep
ORPHAN_S = 10.0  # a gate asks once a second; after so much silence nobody will say that the passage ended
STILL_S = 1.5  # usable frames without motion for so long, and the person is asked for some
CROP_PX = 240  # height of the crops that may go out
CROP_BYTES = 20_000
MOST_M = 3.0  # that a message can tell

EXIT_CONFIG = 78

_log = logs.get("vision")


class Vision:
    """The daemon: one peer, cameras for faces and perhaps one for pages, one passage at a time."""

    def __init__(self, config: GateConfig, peer: Peer[say.ToVision]) -> None:
        self._config = config
        self._peer = peer
        self._notifier = Notifier()
        self._policy = decided(config)
        models = manifest.load()
        own = _own(config, self._policy.match_threshold)
        self._embedders = Embedders(config.paths, own)
        self._model = Model(name=own.decides.name, version=own.decides.version)
        bounds = config.vision.estimation
        self._reader = FaceReader(models)
        self._observer = Observer(
            self._reader,
            QualityCheck(models),
            trial.embed(own.decides.name, find(own.decides, config.paths)),
            LivenessCheck(
                models.liveness, RecaptureHead(models.recapture), awaits_light=config.vision.awaits_light
            ),
            config.vision.min_frames,
            heights=_heights(config, models),
            shadow=None
            if own.shadow is None
            else trial.embed(own.shadow.name, find(own.shadow, config.paths)),
        )
        self._strangers = FalseMatches(Bounds(references=bounds.references, seconds=60 * bounds.minutes))
        self._whose = (b"", "unknown")  # the mark and the kind of the document at hand
        self._eyes = _eyes(config.cameras, self._observer.glance)
        self._page: PageWatch | None = None
        if config.page_camera is not None:
            self._page = PageWatch(config.page_camera, models.mrz, config.policy.limits.optical_s, peer.send)
        self._passage = ""
        self._attempt: int | None = None
        self._awake_until = 0.0
        self._heard_at = 0.0
        self._guide = Guide()
        self._crowd = Crowd()
        self._stopping = False

    def stop(self) -> None:
        """Let `run` return after the turn at hand."""
        self._stopping = True

    def run(self) -> None:
        """Work until stopped. Raises ModelError when not even a drawn face is seen."""
        rehearse(self._observer, _sizes(self._config.cameras))
        stay_resident()
        self._notifier.ready()
        fed = 0.0
        while not self._stopping:
            now = time.monotonic()
            if self._notifier.interval_s is not None and now - fed >= self._notifier.interval_s / 2:
                fed = now
                self._notifier.watchdog()
            self._turn()
        self._notifier.stopping()
        self._embedders.end()
        self._observer.wipe()
        self._strangers.wipe()
        self._eyes.sleep()
        self._end_page()

    def _turn(self) -> None:
        reading = self._page is not None and self._page.is_reading
        if self._attempt is not None:
            self._capture()
        elif time.monotonic() < self._awake_until:
            self._eyes.look()
        else:
            self._eyes.rest()
        if self._page is not None and self._attempt is None:
            self._page.turn()
        if not self._passage:
            self._turn_to_others()
        self._strangers.drop_old()
        busy = self._attempt is not None or reading or time.monotonic() < self._awake_until
        message = self._peer.receive(0.0 if busy else IDLE_S)
        while message is not None:
            self._heard_at = time.monotonic()
            self._take(message)
            message = self._peer.receive(0.0)
        if (self._passage or reading) and time.monotonic() - self._heard_at > ORPHAN_S:
            _log.warning("the gate has fallen silent: its passage is forgotten", passage=self._passage)
            self._forget()
            self._end_page()

    def _take(self, message: say.ToVision) -> None:
        match message:
            case say.Ping():
                page_camera = None if self._page is None else self._page.state
                self._peer.send(
                    say.Pong(
                        number=message.number,
                        camera=self._eyes.state,
                        cameras=self._eyes.states,
                        page_camera=page_camera,
                        embedders=self._embedders.in_use.mark,
                        refused=self._embedders.refused,
                    )
                )
            case say.UseEmbedders():
                self._embedders.ask(message)
            case say.SetReference():
                self._enrol(message, lambda: self._look_at(message.image))
            case say.SetTemplate():
                self._enrol(message, lambda: self._recall(message))
            case say.GiveTemplate():
                self._peer.send(self._give(message))
            case say.AskPortrait():
                self._peer.send(self._portrait(message))
            case say.Capture():
                self._begin(message)
            case say.Conclude() if (message.passage, message.attempt) == (self._passage, self._attempt):
                self._answer(self._observer.judge(self._policy.match_threshold))
            case say.ReadPage() if self._page is not None:
                self._page.begin(message.passage, only_coach=message.only_coach)
            case say.StopPage():
                self._end_page(message.passage)
            case say.Forget():
                self._end_page(message.passage)
                if message.passage == self._passage:
                    self._forget()
            case _:
                _log.info("nothing to do for a message", message=type(message).__name__)

    def _turn_to_others(self) -> None:
        """Compare by other embedders, once those that were asked for are tried."""
        found = self._embedders.turn()
        if found is None:
            return
        use = self._embedders.in_use
        self._observer.use(*found)
        self._strangers.wipe()  # what another network made compares with nothing of this one
        self._model = Model(name=use.decides.name, version=use.decides.version)
        self._policy = replace(self._policy, match_threshold=use.threshold)

    def _enrol(self, message: say.SetReference | say.SetTemplate, take: Callable[[], None]) -> None:
        """Enrol the photograph, or what a kiosk made of it; the camera wakes meanwhile."""
        self._end_page()  # the page was read long ago, or its gate would not send what is in the chip
        self._forget()
        self._passage = message.passage
        self._whose = (message.subject, message.stratum or "unknown")
        self._awake_until = time.monotonic() + WAKE_S
        self._eyes.use(message.cameras)
        self._eyes.wake()
        try:
            take()
        except ImageError as error:
            self._awake_until = 0.0
            _log.warning("reference not enrolled", passage=message.passage, reason=error.reason)
            self._peer.send(say.NotEnrolled(passage=message.passage, reason=error.reason))
        else:
            self._peer.send(say.Enrolled(passage=message.passage))

    def _look_at(self, image: bytes) -> None:
        """Enrol the photograph of a chip. Raises ImageError."""
        settings = self._config.vision
        photograph = decode(image, max_bytes=settings.max_image_bytes, max_pixels=settings.max_image_pixels)
        try:
            self._observer.enrol(photograph)
        finally:
            photograph.fill(0)

    def _recall(self, message: say.SetTemplate) -> None:
        """Enrol a template, if this very embedder made it. Raises ImageError."""
        if (message.embedder, message.version) != (self._model.name, self._model.version):
            raise ImageError("template_of_another_embedder")
        self._observer.recall(message.template)

    def _give(self, message: say.GiveTemplate) -> say.TemplateGiven | say.TemplateNotGiven:
        """Give the template out, sealed for the one gate that the configuration names."""
        tokens, template = self._config.tokens, self._observer.template
        reason = "no_reference"
        if tokens is None or tokens.gate is None:
            reason = "no_gate"
        elif template is not None and message.passage == self._passage:
            bound = Binding(
                token=message.token, kiosk=self._config.gate, gate=tokens.gate.name, model=self._model
            )
            key = X25519PublicKey.from_public_bytes(bytes.fromhex(tokens.gate.public_key))
            try:
                return say.TemplateGiven(
                    passage=message.passage,
                    token=message.token,
                    embedder=self._model.name,
                    version=self._model.version,
                    sealed=seal_template(template, bound, key),
                )
            except TokenError as error:
                reason = error.code
        return say.TemplateNotGiven(passage=message.passage, token=message.token, reason=reason)

    def _portrait(self, message: say.AskPortrait) -> say.PortraitTold:
        """Give out what the gate's own registrations may keep, and compare it with what one kept."""
        registration, template = self._config.registration, self._observer.template
        if registration is None or registration.keeps != "template":
            return say.PortraitTold(passage=message.passage, reason="no_template_is_kept")
        if template is None or message.passage != self._passage:
            return say.PortraitTold(passage=message.passage, reason="no_reference")
        made = Portrait(embedder=self._model.name, version=self._model.version, numbers=template)
        kept, likeness, reason = message.kept, None, None
        if kept is not None and (kept.embedder, kept.version) != (made.embedder, made.version):
            reason = "template_of_another_embedder"
        elif kept is not None:
            try:
                likeness = self._observer.compared(kept.numbers)
            except ImageError as error:
                reason = error.reason
        return say.PortraitTold(passage=message.passage, portrait=made, likeness=likeness, reason=reason)

    def _begin(self, message: say.Capture) -> None:
        """Begin a capture. With nothing to compare with, as after a restart, the answer is known at once."""
        self._end_page()
        if message.passage == self._passage and self._observer.is_enrolled:
            self._attempt = message.attempt
            self._eyes.use(message.cameras)
            self._observer.begin([(each.at, each.on) for each in message.light], message.min_height_m)
            self._guide, self._crowd = Guide(), Crowd()
            return
        _log.warning("no reference for a capture", passage=message.passage)
        self._peer.send(
            say.Assessment(
                passage=message.passage,
                attempt=message.attempt,
                frames=0,
                match_score=0.0,
                liveness_score=0.5,
                liveness=Liveness.UNDETERMINED,
            )
        )

    def _capture(self) -> None:
        """One frame of a capture."""
        seen = self._eyes.look()
        if seen is None:
            return
        hints = self._observer.see(seen.image, seen.at, seen.camera, seen.infrared, seen.depth)
        persons = self._crowd.count(self._observer.beside, seen.at)
        if persons is not None:
            self._peer.send(say.PeopleSeen(passage=self._passage, persons=persons))
        verdict = self._observer.judge(self._policy.match_threshold)
        if not hints and verdict.seconds >= STILL_S and verdict.liveness.verdict == "undetermined":
            hints = (Hint.TURN_YOUR_HEAD,)
        told = self._guide.advise(hints, time.monotonic())
        if told is not None:
            self._peer.send(say.Guidance(passage=self._passage, hint=told))
        if verdict.conclusive:
            self._answer(verdict)

    def _answer(self, verdict: Verdict) -> None:
        attempt, self._attempt = self._attempt, None
        if attempt is None:
            return
        self._awake_until = time.monotonic() + WAKE_S
        keep = self._config.vision.keep_images
        stature = verdict.stature
        seen = verdict.quality > 0
        self._peer.send(
            say.Assessment(
                passage=self._passage,
                attempt=attempt,
                frames=verdict.frames,
                match_score=verdict.match_score,
                liveness_score=verdict.liveness.score,
                liveness=Liveness(verdict.liveness.verdict),
                cues=tuple(say.Cue(name=cue.name, score=cue.score) for cue in verdict.liveness.cues),
                quality=round(100 * verdict.quality) if seen else None,
                height_m=None if stature is None else min(stature.height_m, MOST_M),
                height_error_m=0.0 if stature is None else min(stature.error_m, MOST_M),
                shadow_score=self._observer.shadow_score(),
                camera=self._observer.camera,
                reference_crop=_jpeg(self._observer.reference_crop) if keep else None,
                best_crop=_jpeg(self._observer.best()) if keep else None,
            )
        )

        self._compare_with_strangers()

    def _compare_with_strangers(self) -> None:
        """Estimate false matches on those who were here before, if the configuration lets anybody be kept."""
        probe = self._observer.likeness()
        if probe is None:
            return
        subject, stratum = self._whose
        counts = self._strangers.compare(
            probe,
            subject=subject,
            stratum=stratum,
            threshold=self._policy.match_threshold,
            scores=self._observer.scores,
        )
        if counts:
            told = tuple(
                say.StrangerCount(strata=strata, comparisons=count.comparisons, matches=count.matches)
                for strata, count in sorted(counts.items())
            )
            self._peer.send(say.StrangersCompared(passage=self._passage, counts=told))

    def _end_page(self, passage: str | None = None) -> None:
        """A page that is read, or whose passage is over, is looked at no longer."""
        if self._page is not None:
            self._page.stop(passage)

    def _forget(self) -> None:
        if self._observer.reference is not None:
            subject, stratum = self._whose
            self._strangers.keep(self._observer.reference, subject=subject, stratum=stratum)
        self._observer.wipe()
        self._passage, self._attempt = "", None
        self._awake_until = 0.0


def _own(config: GateConfig, threshold: float) -> say.UseEmbedders:
    """What the gate's own file names: in use until gated says otherwise. Raises ModelError."""
    folder, beside = Path(config.paths.models), config.vision.shadow

    def at(name: str) -> say.EmbedderAt:
        return say.EmbedderAt(name=name, version=installed.find(name, folder).version)

    shadow = None if beside in {None, config.vision.embedder} else at(beside)
    return say.UseEmbedders(decides=at(config.vision.embedder), threshold=threshold, shadow=shadow)


def _eyes(cameras: Sequence[FaceCameraSettings], rate: Rate) -> Eyes:
    """The cameras that people walk up to, and what sees beside them."""
    eyes = {each: Eye(Camera(each, f"cameras.{each.name}", _pictures(each)), each.name) for each in cameras}
    return Eyes(
        [eye for each, eye in eyes.items() if each.beside is None],
        rate,
        infrared={each.infrared_of: eye for each, eye in eyes.items() if each.infrared_of is not None},
        depth={each.depth_of: eye for each, eye in eyes.items() if each.depth_of is not None},
    )


def _sizes(cameras: Sequence[FaceCameraSettings]) -> dict[str, tuple[int, int]]:
    return {each.name: (each.width, each.height) for each in cameras if each.beside is None}


def _pictures(camera: FaceCameraSettings) -> Pictures:
    return Colours() if camera.depth_of is None else Distances(camera.depth_unit_mm or 1.0)


def _heights(config: GateConfig, models: manifest.Manifest) -> dict[str, HeightCheck]:
    """What measures body heights, by camera. Raises ConfigError for a calibration that does not fit."""
    checks = {}
    for number, camera in enumerate(config.cameras):
        if camera.calibration is None:
            continue
        key = f"cameras[{number}].calibration: {camera.calibration}"
        try:
            known = calibration.load(Path(camera.calibration)).calibration
        except calibration.CalibrationError as error:
            raise ConfigError(f"{key}: {error}") from error
        if (known.width, known.height) != (camera.width, camera.height):
            fix = "calibrate it at the size at which it is used"
            raise ConfigError(f"{key}: is of a camera of {known.width} x {known.height}: {fix}")
        checks[camera.name] = HeightCheck(known, models.height)
    return checks


def _jpeg(image: Image | None) -> bytes | None:
    return None if image is None else thumbnail(image, CROP_PX, CROP_BYTES)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the daemon; return its exit status."""
    parser = argparse.ArgumentParser(prog="gate-vision", description="The eyes of one border-control gate.")
    parser.add_argument("--config", type=Path, default=Path("/etc/egate/gate.toml"))
    arguments = parser.parse_args(argv)
    logs.configure("gate-vision")
    use_one_thread()
    try:
        config = load(arguments.config).config
        with Peer[say.ToVision](f"ipc://{config.paths.run}/vision", say.ToVision, bind=False) as peer:
            vision = Vision(config, peer)
            for name in (signal.SIGTERM, signal.SIGINT):
                signal.signal(name, lambda *_: vision.stop())
            vision.run()
    except (ConfigError, ModelError) as error:
        _log.error("cannot start", fix=str(error))  # the text is the explanation
        return EXIT_CONFIG
    return 0


if __name__ == "__main__":
    sys.exit(main())
