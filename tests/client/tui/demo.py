"""A chat to look at, with a bit of everything: ``python tests/client/tui/demo.py [THEME]``."""

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from screens import demo_model, silent
from trio_chat.client.tui.app import ChatApp, Look
from trio_chat.client.tui.guest import run
from trio_chat.client.tui.look import DARK

if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    time.tzset()
    theme = sys.argv[1] if len(sys.argv) > 1 else DARK
    sys.exit(run(ChatApp(demo_model(), silent, Look(theme=theme))))
