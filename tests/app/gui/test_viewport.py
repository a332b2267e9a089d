import itertools

import pytest

from app.gui.video.viewport import LARGEST, Viewport

WIDE = Viewport((1000, 700), (1920, 1080))


@pytest.mark.parametrize("room", [(1000, 700), (320, 900), (1501, 333), (7, 5)])
@pytest.mark.parametrize("picture", [(1920, 1080), (333, 467), (1, 1)])
def test_the_whole_picture_is_seen_with_its_aspect_kept_and_centred(room, picture):
    rect = Viewport(room, picture).rect
    assert rect.width <= room[0]
    assert rect.height <= room[1]
    assert rect.width == room[0] or rect.height == room[1]
    exact = picture[0] / picture[1]
    assert abs(rect.width - rect.height * exact) <= max(1.0, exact)
    assert abs(rect.left - (room[0] - rect.right)) <= 1
    assert abs(rect.top - (room[1] - rect.bottom)) <= 1


@pytest.mark.parametrize("factor", [1.25, 3.0, 0.8])
def test_zooming_keeps_the_point_under_the_mouse(factor):
    start = WIDE.zoomed(4.0, 500, 350)
    for x, y in itertools.product((350.0, 500.0, 620.0), (260.0, 400.0)):
        before, after = start.at(x, y), start.zoomed(factor, x, y).at(x, y)
        assert after == pytest.approx(before, abs=1.0)


def test_zooming_out_ends_at_the_whole_picture_and_in_at_large_pixels():
    assert WIDE.zoomed(5, 10, 10).zoomed(0.1, 900, 600) == WIDE
    near = WIDE
    for _ in range(60):
        near = near.zoomed(1.5, 500, 350)
    assert near.zoom == LARGEST
    assert near.crisp
    assert not WIDE.crisp


def test_the_picture_cannot_be_dragged_out_of_the_room():
    near = WIDE.zoomed(3, 500, 350)
    assert near.pans
    for dx, dy in ((9999, 9999), (-9999, -9999)):
        rect = near.panned(dx, dy).rect
        assert rect.left <= 0
        assert rect.top <= 0
        assert rect.right >= 1000
        assert rect.bottom >= 700
    assert not WIDE.pans
    assert WIDE.panned(50, 50).rect == WIDE.rect


def test_dragging_moves_the_picture_with_the_mouse():
    near = WIDE.zoomed(4, 500, 350)
    before, after = near.at(400, 300), near.panned(30, -20).at(430, 280)
    assert after == pytest.approx(before, abs=0.6)


def test_actual_size_shows_a_pixel_on_a_pixel():
    actual = WIDE.at_scale(1.0, 500, 350)
    assert (actual.rect.width, actual.rect.height) == (1920, 1080)
    small = Viewport((1000, 700), (160, 96)).at_scale(1.0, 500, 350)
    assert (small.rect.width, small.rect.left) == (160, 420)
    assert small.at_scale(None, 0, 0).zoom == small.fitting


def test_a_resize_keeps_the_zoom_and_a_new_picture_is_fitted_in():
    near = WIDE.zoomed(4, 200, 200)
    other = near.fitted_to((640, 480), near.picture)
    assert other.scale == near.scale
    assert other.rect.left <= 0
    assert other.rect.right >= 640
    assert near.fitted_to(near.room, (320, 240)).scale is None


def test_every_pixel_is_found_and_nothing_outside():
    tiny = Viewport((1000, 700), (10, 7)).zoomed(1.0, 0, 0)
    assert tiny.pixel_at(0, 0) == (0, 0)
    assert tiny.pixel_at(999, 699) == (9, 6)
    assert Viewport((1000, 700), (10, 10)).pixel_at(10, 350) is None
