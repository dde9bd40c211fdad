"""For all tests: examples may take their time on a busy machine."""

from hypothesis import settings

settings.register_profile("trio-chat", deadline=None)
settings.load_profile("trio-chat")
