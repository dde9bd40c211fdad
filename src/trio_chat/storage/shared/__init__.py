"""The order that several servers share, in Redis or Valkey. Needs the extra ``nodes``."""
