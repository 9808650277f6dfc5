"""A page in a real browser, where one is installed: what a script finds on it at some width."""

from __future__ import annotations

import html
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OFF = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic")
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")


def found_on(page: str, script: str, width: int) -> Any:
    """What the body of an async function of the frame's `window` returns, with the page in a frame.

    Args:
        page: HTML.
        script: JavaScript that returns plain data; `window` and `document` are the page's.
        width: of the frame, in CSS pixels.
    """
    frame = f'<iframe style="width:{width}px;height:700px;border:0" srcdoc="{html.escape(page, quote=True)}">'
    told = f"""<script>onload = async () => {{
      const window = frames[0], document = window.document;
      const found = await (async () => {{ {script} }})().catch((error) => String(error));
      globalThis.document.body.textContent = "found" + JSON.stringify(found) + "end";
    }}</script>"""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.html"
        path.write_text(f"<!doctype html><meta charset=utf-8><body>{frame}</iframe>{told}</body>")
        options = (*OFF, *QUIET, f"--user-data-dir={folder}/profile", "--virtual-time-budget=4000")
        command = [str(BROWSER), *options, "--window-size=1400,900", "--dump-dom", path.as_uri()]
        shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    body = shown.rpartition("found")[2].partition("end</body>")[0]
    return json.loads(html.unescape(body))
