"""The rules of the chat, who may do what and who hears it: pure, synchronous, no bytes or clock."""
