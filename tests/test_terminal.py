"""What is printed is data: square brackets are no markup, anywhere."""

import re
from pathlib import Path

from rich.table import Table

from rhobin.terminal import plain_console

SOURCES = Path(__file__).parents[1] / "src" / "rhobin"


def test_brackets_stay_wherever_rich_puts_them(capsys):
    hostile = "[mm] [bold]x[/bold] [/] \\["
    table = Table(title=hostile, caption=hostile)
    table.add_column(hostile, no_wrap=True)
    table.add_row(hostile)
    console = plain_console(width=200)
    console.print(table)
    console.print(hostile, style="red", soft_wrap=True)
    assert capsys.readouterr().out.count(hostile) == 5


def test_nothing_prints_by_another_console():
    own = SOURCES / "terminal.py"
    ways = re.compile(
        r"\bConsole\(|rich\.markup|rich\.print|import rich\n|from rich import|\[/?(red|bold|green)"
    )
    found = [
        f"{path.relative_to(SOURCES)}: {line.strip()}"
        for path in sorted(SOURCES.rglob("*.py"))
        if path != own
        for line in path.read_text().splitlines(keepends=True)
        if ways.search(line)
    ]
    assert found == []


def test_progress_texts_and_panel_titles_are_plain_too():
    """Both read markup whatever the console says, unless they are told not to, or get a `Text`."""
    for path in sorted(SOURCES.rglob("*.py")):
        text = path.read_text()
        for call in re.findall(r"TextColumn\((.*?)\)", text):
            assert "{task." not in call or "markup=False" in call, path
        for call in re.findall(r"Panel\(.*?\n    \)", text, re.S) if "rich.panel" in text else ():
            assert "title=Text(" in call, path
