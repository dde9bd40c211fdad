"""A chat to look at, with a bit of everything: ``python tests/client/tui/demo.py [THEME]``."""

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from screens import demo_model, silent
from trio_chat.client.tui.app import show
from trio_chat.settings import ScreenSettings

if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    time.tzset()
    theme = sys.argv[1] if len(sys.argv) > 1 else "dark"
    sys.exit(show(demo_model(), silent, ScreenSettings(theme=theme)))
