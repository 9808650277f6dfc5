"""The page of a sweep says what its trials were, and its charts draw values where they lie."""

import re
from html.parser import HTMLParser

import pytest

from rhobin.reports.parallel import parallel_chart
from rhobin.reports.study_charts import TrialRow, history_chart
from rhobin.reports.study_page import StudyFacts, study_page

SPACE = {
    "optim.optimizer.lr": {"type": "float", "low": 1e-4, "high": 1e-2, "log": True},
    "optim": {"type": "categorical", "choices": ["adam<w>", "muon"]},
}
ROWS = [
    TrialRow(0, "complete", 90.0, 30.0, "", {"optim.optimizer.lr": 1e-3, "optim": "muon"}),
    TrialRow(1, "failed", None, None, "Error: <no> memory", {"optim.optimizer.lr": 1e-2, "optim": "adam<w>"}),
    TrialRow(2, "complete", 80.0, 90.0, "", {"optim.optimizer.lr": 1e-4, "optim": "adam<w>"}),
    TrialRow(3, "pruned", 95.0, 4000.0, "too bad", {"optim.optimizer.lr": 1e-3, "optim": "muon"}),
    TrialRow(4, "complete", 85.0, 60.0, "", {"optim.optimizer.lr": 1e-3, "optim": "muon"}),
    TrialRow(5, "running", None, None, "", {"optim.optimizer.lr": 1e-3, "optim": "muon"}),
]  # fmt: skip
FACTS = StudyFacts("lr<1>", "khor/smoke", "val/joint_mm", False, 8, SPACE, {"sampler": "TPE"})


class Balanced(HTMLParser):
    """Notes tags that are not closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.wrong = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def test_the_page_tells_every_trial_and_the_best():
    page = study_page(FACTS, ROWS, {"optim": 0.75, "optim.optimizer.lr": 0.25})
    parser = Balanced()
    parser.feed(page)
    assert parser.wrong == []
    assert parser.open == []
    assert "Of 8 trials 3 complete, 1 pruned, 1 failed, 1 running." in page
    assert "<b>trial 2</b> with <b>80</b>: optim.optimizer.lr 0.0001, optim adam&lt;w&gt;" in page
    assert "Error: &lt;no&gt; memory" in page
    assert "lr&lt;1&gt;" in page
    assert "<w>" not in page
    assert page.count('class="badge"') == len(ROWS)
    for time in ("30\u202fs", "2\u202fmin", "1.1 h"):
        assert time in page
    assert "75\u202f%" in page
    assert not re.search(r'(src|href)="(?!#|data:)', page), "nothing from elsewhere"


def test_a_study_without_scores_has_a_page():
    page = study_page(FACTS, [], {})
    assert "none has begun" in page
    assert page.count("No trial has a score yet.") == 2
    assert "Too few complete trials" in page


@pytest.mark.parametrize(
    ("higher", "expected"), [(False, [90.0, 90.0, 80.0, 80.0, 80.0]), (True, [90.0] * 5)]
)
def test_the_history_steps_through_the_best_so_far(higher, expected):
    chart = history_chart("m", higher, 8, ROWS)
    points = re.search(r'polyline class="line good" points="([^"]*)"', chart)[1].split()
    heights = [float(point.split(",")[1]) for point in points]
    of = {
        float(title): float(y)
        for y, title in re.findall(r'cy="([\d.]+)" r="4"><title>trial \d+, \w+ ([\d.]+)', chart)
    }
    assert heights == [of[value] for value in expected]
    assert of[95.0] < of[90.0] < of[85.0] < of[80.0], "upwards on paper is a smaller number of pixels"
    assert chart.count(' hollow"') == 1
    assert chart.count("<path") == 1, "one failed"


def test_parallel_lines_meet_the_axes_at_their_values_and_the_best_is_last():
    chart = parallel_chart("m", False, SPACE, ROWS)
    lines = re.findall(r'polyline class="line trial ([\w ]+)" style="[^"]*" points="([^"]*)"', chart)
    assert [style for style, _ in lines] == ["plain dash", "body", "body", "object"]
    heights = [[float(point.split(",")[1]) for point in points.split()] for _, points in lines]
    bottom, top = heights[3][0], heights[0][1]
    assert heights[0][0] == pytest.approx((bottom + top) / 2), "1e-3 is half-way on a logarithmic axis"
    assert heights[3][1] == bottom, "the first choice"
    scores = [line[2] for line in heights]
    assert scores == sorted(scores)
    other = parallel_chart("m", True, SPACE, ROWS)
    assert "trial 0" in other[other.index("line trial object") :].split("</title>")[0]
