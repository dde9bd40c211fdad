// What the server tells of in words.js (files.py), for the type checker: browsers are not sent this file.

/** How a command is written, what it does, and how many words it needs. */
export const COMMANDS: Record<string, [args: string, does: string, needed: number]>;

/** Our names for commands by those of other programs. */
export const ALIASES: Record<string, string>;

/** The short names of emoji in other chats, each before its picture. */
export const EMOJI: string;
