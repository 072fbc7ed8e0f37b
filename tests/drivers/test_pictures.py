"""What a V4L2 device is asked to send, where it offers a choice."""

import cv2
import pytest

from drivers.pictures import prefer_shape

FORMAT = cv2.CAP_PROP_FOURCC


def code(name: str) -> int:
    """The number of a format of V4L2."""
    return cv2.VideoWriter.fourcc(*name)


class Webcam:
    """A device that sends one of its formats."""

    def __init__(self, *formats: str) -> None:
        self._codes = [code(name) for name in formats]
        self.sends = self._codes[0]

    def set(self, key: int, value: float, /) -> bool:
        if key != FORMAT or value not in self._codes:
            return False
        self.sends = int(value)
        return True

    def get(self, key: int, /) -> float:
        return self.sends if key == FORMAT else -1


@pytest.mark.parametrize(
    ("formats", "sent"),
    [
        (("BGR3", "YUYV"), "YUYV"),  # OpenCV hands BGR3 out as one row of bytes
        (("MJPG", "YUYV"), "MJPG"),
        (("NV12", "YUYV"), "NV12"),
        (("BGR3",), "BGR3"),
    ],
)
def test_bgr_is_given_up_for_a_format_whose_shape_is_known(formats: tuple[str, ...], sent: str) -> None:
    camera = Webcam(*formats)
    prefer_shape(camera)
    assert camera.sends == code(sent)
