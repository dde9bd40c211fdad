"""Lets a test give orders to Limnoria."""  # noqa: N999

from . import plugin

Class = plugin.Class
