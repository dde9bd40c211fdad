"""Who may say what, and who hears it: pure, synchronous, no bytes, no clock."""
