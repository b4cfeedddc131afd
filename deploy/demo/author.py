"""Writes deploy/demo/story: `python deploy/demo/author.py`. The same files every time."""  # noqa: INP001 - a script beside its package

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "src"))

from demo.authoring.story import write  # noqa: E402 - the package stands beside this script

if __name__ == "__main__":
    story = write(HERE / "story")
    sys.stdout.write(f"{len(story)} files in {HERE / 'story'}\n")
