"""The stores, where events get their place and their id and are kept: one ordered log per room."""
