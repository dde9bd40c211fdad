"""What is tested of people on one server, with each connection to the next of two nodes."""

from twins import those_of

# It knows the numbers of connections.
_OF_ONE = {"test_devices_are_listed_and_ended"}

globals().update(those_of("test_devices", "test_again", "test_always_on", but=_OF_ONE))
