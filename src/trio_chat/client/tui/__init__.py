"""The full screen: what a person sees and types, drawn by Textual, with trio as its guest.

Import its modules only where there is a screen to draw: Textual takes a quarter of a second.

Everything that is shown comes from the model, and everything that is typed goes to it. Whatever
others wrote is text here and never markup: it becomes segments and strips, which know none.
"""
