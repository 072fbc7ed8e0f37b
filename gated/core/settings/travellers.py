"""Who may use the lane by themselves, and who may be registered at it."""

from typing import Annotated, Literal

from msgspec import Meta

from gated.core.settings import Path, Settings

State = Annotated[str, Meta(pattern=r"^[A-Z]{1,3}\Z")]


class EligibilitySettings(Settings, omit_defaults=True):  # TOML cannot say None
    """Who may use the lane by themselves: by the rule pack `rules`, or else by the keys in place of it.

    From `height_until_age_years` on nobody's height is asked (`policy.min_height_m`): the rule is for
    children, and grown people who are short, or sit in a wheelchair, use the lane like everybody.
    `anti_passback_s`: a document that was admitted does not admit again for so long (0: it may at once).
    `forward`: what it is to walk forward through this lane. `record`: how much of the facts goes on record.
    `standings` is the file of what the centre knows of travellers, made under a list key that the gate holds.
    """

    min_age_years: Annotated[int, Meta(ge=0, le=120)] = 10
    height_until_age_years: Annotated[int, Meta(ge=0, le=150)] = 18
    anti_passback_s: Annotated[float, Meta(ge=0, le=86400)] = 0.0
    document_types: tuple[Annotated[str, Meta(pattern=r"^[A-Z<]{1,2}\Z")], ...] = ("P",)
    rules: Path | None = None
    forward: Literal["departure", "arrival"] | None = None
    record: Literal["basic", "extended"] = "basic"
    standings: Path | None = None

    def __post_init__(self) -> None:
        """Refuse keys that contradict each other; the loader adds the file and the section."""
        usual = {"min_age_years": 10, "height_until_age_years": 18, "document_types": ("P",)}
        for key, value in usual.items():
            if self.rules is not None and getattr(self, key) != value:
                raise ValueError(f"`{key}` is of no use with `rules`: say it there, and remove it here")


class RegistrationSettings(Settings):
    """Registration at the gate (docs/registration.md), for the nationals of `states`.

    `key_file` is this gate's own secret; `centre_key` is what `gate-central registrations key` shows. `text`
    names the version of what travellers agree to. `numbered` are those states whose passports tell a number
    that people keep for life in the zone, `numbered_by_chip` those that tell it in DG11 of the chip: by it a
    registration goes over to a new passport. No state is in both. `keeps`: a "reference" to the passport, and
    no face; or a "template" of its portrait too, without which no number takes a registration over.
    """

    key_file: Path
    centre_key: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    text: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9.-]{0,31}\Z")]
    states: Annotated[tuple[State, ...], Meta(min_length=1, max_length=16)]
    numbered: Annotated[tuple[State, ...], Meta(max_length=16)] = ()
    numbered_by_chip: Annotated[tuple[State, ...], Meta(max_length=16)] = ()
    keeps: Literal["reference", "template"] = "reference"
