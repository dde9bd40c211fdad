// What is typed: the commands that begin with a slash, one row each, and what Tab completes.

import { fold, isRoom, roomName, write } from "./irc.js";
import { EMOJI } from "./text.js";

/** @typedef {import("./main.js").Chat} Chat */

/** What a command cannot do, in words for the person. */
export class Unsupported extends Error {}

// Names that people know from other programs.
/** @type {Record<string, string>} */
const ALIASES = {
    names: "who", n: "who", users: "who", list: "rooms", channels: "rooms", m: "msg", whisper: "msg",
    tell: "msg", pm: "msg", exit: "quit", bye: "quit", disconnect: "quit", signoff: "quit",
    connect: "reconnect", server: "reconnect", buffer: "page", j: "join", leave: "part", k: "kick",
    t: "topic", wi: "whois", action: "me", quote: "raw", inv: "invite", unmute: "unban",
};

const FILTER = /^(from|in|before|after):(.+)$/i;
const DURATION = /^(\d+[smhdw]|forever)$/i;

/** Split into the first word and the rest.
 * @param {string} text
 * @returns {[string, string]} */
function two(text) {
    const [, first = "", rest = ""] = /^(\S*)\s*(.*)$/s.exec(text.trim()) ?? [];
    return [first, rest];
}

/** @param {string} why
 * @returns {never} */
function refuse(why) {
    throw new Unsupported(why);
}

/** @param {Chat} chat */
const room = (chat) => (chat.here.kind === "room" ? chat.here.name : refuse("This is not a room."));

/** @param {Chat} chat */
const place = (chat) =>
    chat.here.name || refuse("Nobody hears you here. /msg NAME TEXT says something to one person.");

/** The room named first, or else this one; and the rest.
 * @param {Chat} chat @param {string} rest
 * @returns {[string, string]} */
function ofRoom(chat, rest) {
    const [first, others] = two(rest);
    return isRoom(first) ? [first, others] : [room(chat), rest];
}

/** @param {string[]} words */
const filled = (...words) => words.filter((word, at) => word || at < words.length - 1);

/** A command of the server's that takes the words as they are.
 * @param {string} verb
 * @returns {(chat: Chat, rest: string) => void} */
const plain = (verb) => (chat, rest) => chat.line(verb, ...rest.split(/\s+/).filter(Boolean));

/** @param {string} mode
 * @returns {(chat: Chat, rest: string) => void} */
const status = (mode) => (chat, rest) => {
    const people = rest.split(/\s+/);
    chat.line("MODE", room(chat), mode[0] + (mode[1] ?? "").repeat(people.length), ...people);
};

/** @param {string} verb
 * @returns {(chat: Chat, rest: string) => void} */
const keepOut = (verb) => (chat, rest) => {
    const [where, others] = ofRoom(chat, rest);
    const [whom, terms] = two(others);
    chat.line(...filled(verb, where, whom, terms));
};

/** The id of somebody's last message here, or our own.
 * @param {Chat} chat @param {string} nick */
function lastOf(chat, nick) {
    const said = (/** @type {Shown} */ line) => line.kind === "said" || line.kind === "action";
    const theirs = (/** @type {Shown} */ line) => (nick ? fold(line.nick) === fold(nick) : line.own);
    const line = chat.here.lines.findLast((one) => one.id && said(one) && theirs(one));
    return line?.id ?? refuse(`${nick ? `${nick} has` : "You have"} said nothing here lately.`);
}

/** @param {string} verb
 * @returns {(chat: Chat, rest: string) => void} */
const about = (verb) => (chat, rest) => {
    let [which, why] = two(rest);
    if (which.toLowerCase() === "last") {
        const [nick, others] = two(why);
        [which, why] = [lastOf(chat, nick), others];
    }
    chat.line(...filled(verb, place(chat), which, why));
};

/** @param {Chat} chat @param {string[]} words */
const nickserv = (chat, ...words) => chat.line("NS", ...words);

/** @param {Chat} chat @param {string} password */
function secret(chat, password) {
    if (/\s/.test(password)) refuse("A password is one word here, without spaces.");
    if (!chat.secure) refuse("Without TLS, others could read the password on its way. Open this page by https:// first.");
    return password;
}

/** @param {Chat} chat @param {string} rest */
function uban(chat, rest) {
    let [whom, others] = two(rest);
    if (!whom || whom === "list") return chat.line("UBAN", ...(others ? ["INFO", others] : ["LIST"]));
    if (whom === "del" || whom === "lift") return chat.line("UBAN", "DEL", others);
    const words = ["UBAN", "ADD", whom];
    for (let [word, more] = two(others); word; [word, more] = two(others)) {
        if (word.toLowerCase() === "mute") words.push("MUTE");
        else if (DURATION.test(word)) words.push("DURATION", word);
        else break;
        others = more;
    }
    chat.line(...words, ...(others ? [others] : []));
}

/** @param {Chat} chat @param {string} rest */
function search(chat, rest) {
    /** @type {Record<string, string>} */
    const found = {};
    const words = rest.split(/\s+/).filter((word) => {
        const [, key = "", value = ""] = FILTER.exec(word) ?? [];
        if (key) found[key.toLowerCase()] = value;
        return !key;
    });
    for (const key of ["before", "after"]) {
        const day = found[key];
        if (day && !/^\d{4}-\d\d-\d\d$/.test(day)) refuse(`${key}: needs a day such as ${key}:2024-12-31.`);
        if (day) found[key] = new Date(Date.parse(day) - Number(key === "before")).toISOString();
    }
    chat.search(rest, { in: chat.here.name, ...found, text: words.join(" ") });
}

/** @type {Record<string, Command>} */
export const COMMANDS = {
    account: { args: "[NAME|export|delete NAME]", does: "tell of an account; all of yours; delete it", needed: 0,
        act: (chat, rest) => {
            const [first, name] = two(rest);
            if (first === "delete" && name) nickserv(chat, "DROP", name);
            else if (first === "export" && !name) nickserv(chat, "EXPORT");
            else nickserv(chat, "INFO", ...(first ? [first] : []));
        } },
    audit: { args: "[ROOM|NAME] [N]", does: "show what operators have done, in a room or to somebody", needed: 0, act: plain("AUDIT") },
    away: { args: "[TEXT]", does: "mark yourself away; without a text, back", needed: 0,
        act: (chat, text) => chat.line("AWAY", ...(text ? [text] : [])) },
    ban: { args: "NAME|MASK [2h] [WHY]", does: "keep somebody out of the room, and remove them", needed: 1, act: keepOut("BAN") },
    bans: { args: "", does: "list the room's bans and mutes", needed: 0, act: (chat) => chat.line("MODE", room(chat), "+b") },
    clear: { args: "", does: "clear this page", needed: 0, act: (chat) => chat.clear() },
    close: { args: "", does: "close this page and leave the room", needed: 0, act: (chat) => chat.close(chat.here) },
    deop: { args: "NAME", does: "take operator status away", needed: 1, act: status("-o") },
    devices: { args: "[end NUMBER]", does: "list your connections, or end another one", needed: 0,
        act: (chat, rest) => nickserv(chat, "DEVICES", ...rest.split(" ").filter(Boolean)) },
    devoice: { args: "NAME", does: "take that permission away", needed: 1, act: status("-v") },
    help: { args: "", does: "show this list", needed: 0, act: (chat) => chat.help() },
    history: { args: "[NUMBER]", does: "show the last messages in the room, with their times", needed: 0, act: (chat) => chat.older() },
    ignore: { args: "[MASK]", does: "hide what NAME or NAME!USER@HOST says; * matches anything", needed: 0, act: (chat, mask) => chat.ignore(mask, true) },
    invitation: { args: "TOKEN|N|list|revoke ID", does: "use an invitation; or invite N people", needed: 0, act: plain("INVITATION") },
    invite: { args: "NAME [ROOM]", does: "invite somebody to the room", needed: 1,
        act: (chat, rest) => {
            const [nick, where] = two(rest);
            chat.line("INVITE", nick, where || room(chat));
        } },
    join: { args: "ROOM [KEY]", does: "go to another room, or make a new one", needed: 1,
        act: (chat, rest) => {
            const [name, key] = two(rest);
            chat.join(roomName(name.split(",")[0] ?? ""), key);
        } },
    kick: { args: "[ROOM] NAME [WHY]", does: "remove somebody from the room, if you are its operator", needed: 1,
        act: (chat, rest) => {
            const [where, others] = ofRoom(chat, rest);
            chat.line(...filled("KICK", where, ...two(others)));
        } },
    lock: { args: "[10m|forever [WHY]|off]", does: "keep guests out and mute for an hour, or so long", needed: 0, act: plain("LOCK") },
    login: { args: "[NAME] PASSWORD", does: "log in to your account", needed: 1,
        act: (chat, rest) => {
            const [first, second] = two(rest);
            chat.ask({ do: "login", name: second ? first : "", password: second || first });
        } },
    logout: { args: "", does: "log out, and take another nickname", needed: 0, act: (chat) => nickserv(chat, "LOGOUT", "FORGET") },
    me: { args: "TEXT", does: "say what you do: * alice waves", needed: 1, act: (chat, text) => chat.say(place(chat), text, { action: true }) },
    mode: { args: "[MODES]", does: "show the room's modes or set them, as in +o NAME", needed: 0,
        act: (chat, rest) => {
            const words = rest.split(/\s+/).filter(Boolean);
            const named = isRoom(words[0] ?? "") || fold(words[0] ?? "") === fold(chat.model.state.nick);
            chat.line("MODE", ...(named ? [] : [room(chat)]), ...words);
        } },
    msg: { args: "NAME TEXT", does: "say something to one person only", needed: 2,
        act: (chat, rest) => chat.say(...two(rest), {}) },
    mute: { args: "NAME|MASK [2h] [WHY]", does: "let somebody be in the room, but not speak", needed: 1, act: keepOut("MUTE") },
    nick: { args: "NAME", does: "change your nickname", needed: 1, act: (chat, nick) => chat.line("NICK", nick) },
    notice: { args: "NAME TEXT", does: "send a notice, which bots do not answer", needed: 2,
        act: (chat, rest) => chat.say(...two(rest), { notice: true }) },
    op: { args: "NAME", does: "make somebody an operator", needed: 1, act: status("+o") },
    page: { args: "NAME", does: "go to another page, by name or number", needed: 1, act: (chat, which) => chat.page(which) },
    part: { args: "[ROOM] [WHY]", does: "leave the room", needed: 0,
        act: (chat, rest) => {
            const [where, why] = ofRoom(chat, rest);
            chat.ask({ do: "part", room: where, why });
        } },
    password: { args: "NEW", does: "change the password of your account", needed: 1,
        act: (chat, password) => nickserv(chat, "SET", "PASSWORD", secret(chat, password)) },
    query: { args: "NAME [TEXT]", does: "talk to one person in private", needed: 1,
        act: (chat, rest) => {
            const [nick, text] = two(rest);
            chat.talk(nick);
            if (text) chat.say(nick, text, {});
        } },
    quit: { args: "[WORDS]", does: "leave", needed: 0, act: (chat, words) => chat.quit(words) },
    raw: { args: "LINE", does: "send a line of IRC unchanged", needed: 1, act: (chat, line) => chat.ask({ do: "raw", place: chat.here.name, line }) },
    reconnect: { args: "", does: "reconnect", needed: 0, act: (chat) => chat.ask({ do: "reconnect" }) },
    register: { args: "PASSWORD", does: "make your nickname yours, for good: an account", needed: 1,
        act: (chat, password) => chat.ask({ do: "register", password: secret(chat, password) }) },
    remove: { args: "last|last NAME|ID [WHY]", does: "remove your last message; an operator also others'", needed: 1, act: about("REDACT") },
    rename: { args: "[ROOM] NAME [WHY]", does: "give the room another name", needed: 1,
        act: (chat, rest) => {
            const [first, others] = two(rest);
            const named = isRoom(first) && isRoom(others);
            const [name, why] = two(named ? others : rest);
            chat.line(...filled("RENAME", named ? first : room(chat), roomName(name), why));
        } },
    report: { args: "last NAME|ID [WHY]", does: "show a message to the operators", needed: 1, act: about("REPORT") },
    reports: { args: "[N]", does: "show the messages that were reported, if you are an operator", needed: 0, act: plain("REPORTS") },
    rooms: { args: "", does: "list the rooms", needed: 0, act: (chat) => chat.browse() },
    search: { args: "WORDS", does: "search for messages with all these words", needed: 1, act: search },
    token: { args: "new NAME|list|drop NAME", does: "passwords of their own for bots and devices", needed: 1,
        act: (chat, rest) => {
            const [verb, name] = two(rest);
            if (!["new", "list", "drop"].includes(verb) || !name === (verb !== "list")) refuse("Usage: /token new NAME|list|drop NAME");
            nickserv(chat, "TOKEN", verb.toUpperCase(), ...(name ? [name] : []));
        } },
    topic: { args: "[ROOM|TEXT]", does: "show the room's topic or set it; - removes it", needed: 0,
        act: (chat, text) => {
            const named = isRoom(text) && !/\s/.test(text);
            chat.line("TOPIC", ...(named ? [text] : [room(chat), ...(text ? [text === "-" ? "" : text] : [])]));
        } },
    uban: { args: "WHOM [2h] [mute] [WHY]|list|del N", does: "keep somebody out of this chat, or mute them", needed: 0, act: uban },
    unban: { args: "NAME|MASK|NUMBER", does: "lift a ban or a mute of the room", needed: 1,
        act: (chat, rest) => chat.line("UNBAN", ...ofRoom(chat, rest)) },
    unignore: { args: "MASK", does: "stop ignoring", needed: 1, act: (chat, mask) => chat.ignore(mask, false) },
    voice: { args: "NAME", does: "let somebody speak in a moderated room", needed: 1, act: status("+v") },
    who: { args: "[ROOM]", does: "list the people in the room", needed: 0, act: (chat, rest) => chat.line("NAMES", ofRoom(chat, rest)[0]) },
    whois: { args: "NAME", does: "show who somebody is", needed: 1, act: (chat, nick) => chat.line("WHOIS", nick) },
    why: { args: "[ROOM]", does: "explain what you may not do just now, or in a room, and until when", needed: 0,
        act: (chat, rest) => {
            const [named] = two(rest);
            const outside = chat.here.kind === "room" && !chat.here.joined ? chat.here.name : "";
            chat.line("WHY", ...[named || outside].filter(Boolean));
        } },
};

/** Do what was typed: a text, or, in a line alone, a command.
 * @param {Chat} chat @param {string} text */
export function enter(chat, text) {
    const line = text.trim();
    if (!line.startsWith("/") || line.startsWith("//") || line.includes("\n")) {
        if (!line.startsWith("//") && isConfidential(line)) {
            refuse("Not said, as a password may be in that line. A command begins with its slash; two slashes say the line all the same.");
        }
        const escaped = !line.includes("\n") && !HELD_BACK.test(line);
        return chat.say(place(chat), escaped ? text.replace(/^\s*\/\//, "/") : text, {});
    }
    let [word, rest] = two(line.slice(1));
    word = word.toLowerCase();
    if (word === "q") word = rest ? "query" : "quit";
    if (word === "w") word = /\s/.test(rest) ? "msg" : "who";
    word = (Object.hasOwn(ALIASES, word) && ALIASES[word]) || word;
    const command = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
    if (!command) refuse(`There is no command /${word}.${near(word)} /help lists all of them.`);
    const count = rest ? rest.split(/\s+/).length : 0;
    if (count < command.needed) refuse(`Usage: /${word} ${command.args}`);
    command.act(chat, rest);
}

// Texts that the server would hold back if they began with one slash; with two it says them.
const HELD_BACK = /^\/\/+\s*(login|register|password|identify|token|pass|oper|nickserv|ns|msg\s+nickserv)\b/i;

/** Whether a line may have a password in it, as its slash is missing or mistyped.
 * @param {string} line */
const isConfidential = (line) =>
    /^[^\w/]*\/*\s*(login|register|password|identify)(\s+\S+)?\s+\S{8,}$/i.test(line) ||
    /^[^\w/]*\/*\s*(msg\s+)?(nickserv|ns)\s+(identify|register|ghost|set|login)\s+\S/i.test(line);

/** A suggestion for a command that does not exist.
 * @param {string} word */
function near(word) {
    const close = Object.keys(COMMANDS).filter((name) => distance(name, word) <= 2);
    close.sort((one, other) => distance(one, word) - distance(other, word));
    return close[0] ? ` Did you mean /${close[0]}?` : "";
}

/** The number of letters to change, add or drop.
 * @param {string} one @param {string} other */
function distance(one, other) {
    let row = [...one, ""].map((_, at) => at);
    for (let line = 1; line <= other.length; line += 1) {
        const next = [line];
        for (let at = 1; at <= one.length; at += 1) {
            const same = one[at - 1] === other[line - 1] ? 0 : 1;
            next.push(Math.min((row[at] ?? 0) + 1, (next[at - 1] ?? 0) + 1, (row[at - 1] ?? 0) + same));
        }
        row = next;
    }
    return row[one.length] ?? 0;
}

/** Completions of the word before the cursor, the likeliest first: what to put there, and a note.
 * @param {Chat} chat @param {string} before  the text up to the cursor
 * @returns {{start: number, found: {text: string, note: string}[]}} */
export function complete(chat, before) {
    const start = Math.max(before.lastIndexOf(" "), before.lastIndexOf("\n")) + 1;
    const word = before.slice(start);
    if (!word) return { start, found: [] };
    if (word.startsWith("/") && !start) {
        const rows = Object.entries(COMMANDS).filter(([name]) => `/${name}`.startsWith(word.toLowerCase()));
        return { start, found: rows.map(([name, { args, does }]) => ({ text: `/${name} `, note: `${args} ${does}`.trim() })) };
    }
    if (isRoom(word)) {
        const rooms = chat.model.places.filter((one) => one.kind === "room" && fold(one.name).startsWith(fold(word)));
        return { start, found: rooms.map(({ name, topic }) => ({ text: `${name} `, note: topic })) };
    }
    if (word.startsWith(":")) return { start, found: word.length > 2 ? emoji(word.slice(1).toLowerCase()) : [] };
    const bare = word.replace(/^@/, "");
    const after = start ? " " : ": ";
    return { start, found: nicks(chat, bare).map((nick) => ({ text: nick + after, note: "" })) };
}

/** @param {string} name */
function emoji(name) {
    const known = [...EMOJI].filter(([short]) => short.startsWith(name) || short.includes(`_${name}`));
    known.sort(([one], [other]) => Number(other.startsWith(name)) - Number(one.startsWith(name)));
    return known.slice(0, 50).map(([short, picture]) => ({ text: picture, note: `:${short}:` }));
}

/** The people who can be meant: those who spoke last come first.
 * @param {Chat} chat @param {string} word */
function nicks(chat, word) {
    const { members, speakers, kind, name } = chat.here;
    const all = kind === "person" ? [name] : [...members.values()].map(({ nick }) => nick);
    const at = (/** @type {string} */ nick) => speakers.get(nick) ?? 0;
    const fit = all.filter((nick) => fold(nick).startsWith(fold(word)) && fold(nick) !== fold(chat.model.state.nick));
    return fit.sort((one, other) => at(other) - at(one) || (fold(one) < fold(other) ? -1 : 1));
}

/** Emoji in place of their names between colons.
 * @param {string} text */
export const withEmoji = (text) => text.replace(/:([a-z0-9_+-]+):/g, (all, name) => EMOJI.get(name) ?? all);
