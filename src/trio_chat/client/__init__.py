"""The client: a library for programs, and what a person sees on a terminal or in a pipe."""
