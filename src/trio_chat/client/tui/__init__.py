"""The full screen, drawn by Textual, with trio as its guest.

Import its modules only where there is a screen to draw: Textual takes a quarter of a second.

Everything shown comes from the model, and everything typed goes to it. Other people's text is never
taken for markup: it becomes segments and strips.
"""
