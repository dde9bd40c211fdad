"""JSON for programs: what is told and what may be asked for, an object a line (docs/json.md).

``requests`` reads objects and makes intents of them, ``told`` makes objects of messages, ``pipe``
is the front end on standard input and output, and ``schema`` says all of it in JSON Schema.
"""
