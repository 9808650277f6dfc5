"""The report in a browser: on a phone, under the pointer, and with the keys."""

from __future__ import annotations

import pytest
from browser import found_on, needs_browser

pytestmark = needs_browser

WIDER = """
  const root = document.documentElement, bare = (e) => !e.closest(".scroll, .plot");
  const beyond = (e) => e.getBoundingClientRect().right > root.clientWidth + 1;
  const wide = [...document.body.querySelectorAll("*")].filter((e) => bare(e) && beyond(e));
  const scrolls = root.scrollWidth > root.clientWidth;
  return wide.map((e) => e.outerHTML.slice(0, 80)).concat(scrolls ? ["page"] : []);
"""

HOVER = """
  const places = [], box = (e) => e.getBoundingClientRect();
  for (const figure of document.querySelectorAll("figure[data-chart]")) {
    const svg = figure.querySelector("svg"), read = figure.querySelector(".read"), b = box(svg);
    const caption = () => box(figure.querySelector("figcaption")).top - box(figure).top;
    const before = caption(), series = JSON.parse(figure.dataset.chart).series.length;
    const place = (over) => places.push({
      over, series, moved: caption() - before, lines: read.childElementCount - 1,
      seen: box(read).height > 0, inside: box(read).right <= b.right + 1 && box(read).left >= b.left,
    });
    for (const share of [0.2, 0.5, 0.8]) {
      const at = { clientX: b.left + share * b.width, clientY: b.top + 9, bubbles: true };
      svg.dispatchEvent(new window.PointerEvent("pointermove", at));
      place(true);
    }
    svg.dispatchEvent(new window.PointerEvent("pointerleave"));
    place(false);
  }
  return places;
"""

KEYS = """
  const canvas = document.getElementById("scene-canvas");
  const drawn = () => new Promise((done) => setTimeout(done, 400));
  const covered = () => {
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return data.filter((value, at) => at % 4 === 3 && value).length / (canvas.width * canvas.height);
  };
  const press = async (key) => {
    const event = new window.KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
    canvas.dispatchEvent(event);
    await drawn();
    return [covered(), event.defaultPrevented];
  };
  await drawn();
  const found = [[covered(), true]];
  for (const key of ["+", "Home", "-", "Home", "x"]) found.push(await press(key));
  return found;
"""


@pytest.fixture(scope="module")
def page(scored_run) -> str:
    return (scored_run.run / "report.html").read_text()


@pytest.mark.parametrize("width", [320, 375, 1280])
def test_nothing_is_wider_than_the_screen(page, width):
    assert found_on(page, WIDER, width) == []


@pytest.mark.parametrize("width", [375, 1280])
def test_the_pointer_reads_all_lines_and_moves_nothing(page, width):
    places = found_on(page, HOVER, width)
    assert len(places) >= 4 * 8
    assert {place["moved"] for place in places} == {0}
    over = [place for place in places if place["over"]]
    assert all(place["lines"] == place["series"] and place["seen"] and place["inside"] for place in over)
    assert not any(place["seen"] for place in places if not place["over"])


def test_keys_bring_the_scene_closer_and_back(page):
    shares, caught = zip(*found_on(page, KEYS, 1280), strict=True)
    start, closer, home, further, reset, other = shares
    assert closer > 1.2 * start
    assert further < 0.85 * start
    assert [home, reset, other] == pytest.approx([start] * 3, rel=0.02)
    assert caught == (True,) * 5 + (False,)
