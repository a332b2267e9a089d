"""The page and the table that tell of a batch."""

import json
import re
from html.parser import HTMLParser

import pyarrow.parquet

from app.batch.manifest import Row
from app.batch.report_page import write_report_page
from app.batch.storage import Results

FACTS = {
    "times": [0.0, 1.0, 2.0],
    "shares": {"road": [0.5, 0.6, 0.5], "car": [0.5, 0.4, 0.5]},
    "colors": {"road": "#804080", "car": "#00008e"},
}


class _Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.links = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in {"src", "href"}]


def written(tmp_path, *rows):
    results = Results(str(tmp_path / "out"))
    write_report_page(results, rows)
    return (tmp_path / "out" / "report.html").read_text(), pyarrow.parquet.read_table(
        tmp_path / "out" / "summary.parquet"
    ).to_pylist()


def test_the_page_needs_nothing_besides(tmp_path):
    page, _ = written(tmp_path, Row("a", state="done", frames=9, facts=json.dumps(FACTS)))
    seen = _Page(page)
    assert "script" not in seen.tags
    assert "link" not in seen.tags
    assert [link for link in seen.links if not link.startswith("data:")] == []
    assert "url(" not in page


def test_names_of_files_are_no_markup(tmp_path):
    name = "<script>alert(1)</script>"
    page, _ = written(
        tmp_path,
        Row(name, state="failed", error=f"{name} cannot be read", source=f'"{name}'),
        Row("b\udcff", state="done", facts=json.dumps(FACTS), notice=name, frames=1),
    )
    assert "script" not in _Page(page).tags


def test_areas_of_the_classes_fill_the_plot(tmp_path):
    page, _ = written(tmp_path, Row("a", state="done", frames=9, facts=json.dumps(FACTS)))
    paths = re.findall(r'<path fill="(#[0-9a-f]+)" d="M([^"]+)Z"', page)
    assert [color for color, _ in paths] == ["#804080", "#00008e"]
    assert paths[-1][1].startswith("0.0 0.0L150.0 0.0L300.0 0.0")


def test_a_drive_of_one_frame_and_one_without_facts_have_their_place(tmp_path):
    one = {"times": [0.0], "shares": {"road": [1.0]}, "colors": {"road": "#804080"}}
    page, table = written(
        tmp_path,
        Row("a", state="done", frames=1, facts=json.dumps(one)),
        Row("b", state="done", frames=0),
        Row("c"),
    )
    assert "not done yet" in page
    assert [row["share_road"] for row in table] == [1.0, None, None]
