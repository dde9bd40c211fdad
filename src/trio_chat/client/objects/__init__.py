"""JSON for programs: requests and messages, one object a line (docs/json.md).

``json_requests`` reads requests, ``json_messages`` writes messages, ``pipe`` is the front end on
standard input and output, and ``schema`` describes all of it in JSON Schema.
"""
