"""What the jobs left behind: rows and pictures."""

import sqlite3
from pathlib import Path

from PIL import Image

rows = sqlite3.connect("storage/queue.sqlite").execute("SELECT user_id, title, priorite FROM notifications ORDER BY id")
for user_id, title, priorite in rows:
    print(f"notification for user {user_id}: {title} ({priorite})")
for path in sorted(Path("storage/app/public").iterdir()):
    with Image.open(path) as picture:
        print(f"{path.name}: {picture.width} x {picture.height}, {path.stat().st_size // 1024} KB")
