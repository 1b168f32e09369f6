"""A picture of a report: python scripts/screenshot.py runs/mine/report.html docs/assets/report.png.

Needs a Chromium on the path (Debian: apt-get install chromium).
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path, help="report.html")
    parser.add_argument("picture", type=Path, help="the PNG to write")
    parser.add_argument("--width", type=int, default=1280, help="pixels; 390 is a phone")
    parser.add_argument("--height", type=int, default=1600, help="pixels from the top of the page")
    parser.add_argument("--dark", action="store_true", help="as a reader in the dark sees it")
    asked = parser.parse_args()
    if not asked.page.is_file():
        print(f"{asked.page}: expected a report.html, found no file", file=sys.stderr)
        return 2
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    if browser is None:
        print(f"no browser found ({', '.join(NAMES)}); install Chromium", file=sys.stderr)
        return 1
    asked.picture.parent.mkdir(parents=True, exist_ok=True)
    return shoot(browser, asked)


def shoot(browser: str, asked: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        flags = [
            "--headless",
            "--hide-scrollbars",
            "--disable-gpu",
            f"--user-data-dir={scratch}",
            f"--window-size={asked.width},{asked.height}",
            f"--screenshot={asked.picture.resolve()}",
            "--force-device-scale-factor=1.5",
        ]
        # Chromium refuses its sandbox to root; the page is our own and runs no script.
        flags += ["--no-sandbox"] if os.geteuid() == 0 else []
        flags += ["--blink-settings=preferredColorScheme=0"] if asked.dark else []
        page = asked.page.resolve().as_uri()
        done = subprocess.run([browser, *flags, page], capture_output=True, text=True, check=False)
    if done.returncode or not asked.picture.is_file():
        print(done.stderr.strip(), file=sys.stderr)
        return 1
    print(asked.picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
