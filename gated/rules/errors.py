"""Why a rule pack is refused: which key, what is wrong there, and what to do about it."""


class RulesError(Exception):
    """A rule pack cannot be used. `key` is dotted, such as `rules[3].that.age`; the reader adds the file."""

    def __init__(self, key: str, fault: str, fix: str) -> None:
        super().__init__(f"{key}: {fault}: {fix}")
        self.key = key
        self.fault = fault
        self.fix = fix
