"""For all tests: examples may take their time on a busy machine; nobody's history is touched."""

import os

from hypothesis import settings

settings.register_profile("trio-chat", deadline=None)
settings.load_profile("trio-chat")

# Servers that tests start without settings of their own.
os.environ["TRIO_CHAT_HISTORY__STORE"] = "memory:"
