// What is typed: the commands that begin with a slash, as words.js tells them, and what Tab completes.

import { fold, isRoom, roomName } from "./irc.js";
import { ALIASES, COMMANDS, EMOJI as NAMED } from "./words.js";

/** What a command cannot do, in words for the person. */
export class Unsupported extends Error {}

/** Emoji by the short names of other chats.
 * @type {Map<string, string>} */
export const EMOJI = new Map(NAMED.match(/\S+ \S+/g)?.map((pair) => /** @type {[string, string]} */ (pair.split(" "))));

const FILTER = /^(from|in|before|after):(.+)$/i;
const DURATION = /^(\d+[smhdw]|forever)$/i;

/** Split into the first word and the rest.
 * @param {string} text
 * @returns {[string, string]} */
function two(text) {
    const [, first = "", rest = ""] = /^(\S*)\s*(.*)$/s.exec(text.trim()) ?? [];
    return [first, rest];
}

/** @param {string} text */
const wordsOf = (text) => text.split(/\s+/).filter(Boolean);

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
 * @param {Chat} chat @param {string} rest */
function ofRoom(chat, rest) {
    const [first, others] = two(rest);
    return isRoom(first) ? [first, others] : [room(chat), rest];
}

/** A command of the server's: @ stands for the room, 1 for the next word, * for the text that is left
 * and + for its words.
 * @param {string} form
 * @returns {Act} */
const line = (form) => (chat, rest) => {
    const words = form.split(" ").flatMap((part) => {
        let found = part;
        if (part === "@") [found, rest] = ofRoom(chat, rest);
        if (part === "1") [found, rest] = two(rest);
        if (part === "*") found = rest;
        return part === "+" ? wordsOf(rest) : found || [];
    });
    chat.line(...words);
};

/** @param {string} mode
 * @returns {Act} */
const status = ([sign = "", letter = ""]) => (chat, rest) => {
    const people = wordsOf(rest);
    chat.line("MODE", room(chat), sign + letter.repeat(people.length), ...people);
};

/** The id of somebody's last message here, or our own.
 * @param {Chat} chat @param {string} nick */
function lastOf(chat, nick) {
    const found = chat.here.lines.findLast(({ id, kind, own, nick: by }) =>
        id && (kind === "said" || kind === "action") && (nick ? fold(by) === fold(nick) : own));
    return found?.id ?? refuse(`${nick ? `${nick} has` : "You have"} said nothing here lately.`);
}

/** @param {string} verb
 * @returns {Act} */
const about = (verb) => (chat, rest) => {
    let [which, why] = two(rest);
    if (which.toLowerCase() === "last") {
        const [nick, others] = two(why);
        [which, why] = [lastOf(chat, nick), others];
    }
    const command = verb === "REDACT" && which.toLowerCase() === "topic" ? "REMOVE" : verb;
    line(`${command} 1 1 *`)(chat, `${place(chat)} ${which} ${why}`);
};

/** @param {Chat} chat @param {string} password */
function secret(chat, password) {
    if (/\s/.test(password)) refuse("A password is one word here, without spaces.");
    if (!chat.secure) refuse("Without TLS, others could read the password on its way. Open this page by https:// first.");
    return password;
}

/** @type {Act} */
function uban(chat, rest) {
    let [whom, others] = two(rest);
    if (!whom || whom === "list") return line(others ? "UBAN INFO *" : "UBAN LIST")(chat, others);
    if (whom === "del" || whom === "lift") return line("UBAN DEL *")(chat, others);
    const words = ["UBAN", "ADD", whom.replace(/^::/, "0::")]; // a colon at the beginning would be lost
    for (let [word, more] = two(others); word; [word, more] = two(others)) {
        if (word.toLowerCase() === "mute") words.push("MUTE");
        else if (DURATION.test(word)) words.push("DURATION", word);
        else break;
        others = more;
    }
    chat.line(...words, ...(others ? [others] : []));
}

/** @type {Act} */
export function search(chat, rest) {
    /** @type {Record<string, string>} */
    const found = {};
    const words = wordsOf(rest).filter((word) => {
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

/** @type {Record<string, Act>} */
export const ACTS = {
    account: (chat, rest) => {
        const [first, name] = two(rest);
        const form = first === "delete" && name ? "NS DROP *" : first === "export" && !name ? "NS EXPORT" : "NS INFO 1";
        line(form)(chat, form === "NS DROP *" ? name : first);
    },
    audit: line("AUDIT +"),
    away: line("AWAY *"),
    ban: line("BAN @ 1 *"),
    bans: line("MODE @ +b"),
    block: line("BLOCK *"),
    blocks: line("BLOCKS"),
    clear: (chat) => chat.clear(),
    close: (chat) => chat.close(chat.here),
    deop: status("-o"),
    devices: line("NS DEVICES +"),
    devoice: status("-v"),
    help: (chat) => chat.panels.help(),
    history: (chat) => chat.older(),
    ignore: (chat, mask) => chat.ignore(mask, true),
    invitation: line("INVITATION +"),
    invite: (chat, rest) => line("INVITE 1 1")(chat, two(rest)[1] ? rest : `${rest} ${room(chat)}`),
    join: (chat, rest) => {
        const [name, key] = two(rest);
        chat.join(roomName(name.split(",")[0] ?? ""), key);
    },
    kick: line("KICK @ 1 *"),
    lock: line("LOCK +"),
    login: (chat, rest) => {
        const [first, second] = two(rest);
        chat.ask({ do: "login", name: second ? first : "", password: second || first });
    },
    logout: line("NS LOGOUT FORGET"),
    me: (chat, text) => chat.say(place(chat), text, { action: true }),
    mentions: (chat) => chat.panels.mentions(),
    mode: (chat, rest) => {
        const [first] = two(rest);
        const named = isRoom(first) || (first && fold(first) === fold(chat.model.state.nick));
        line("MODE +")(chat, named ? rest : `${room(chat)} ${rest}`);
    },
    msg: (chat, rest) => chat.say(...two(rest), {}),
    mute: line("MUTE @ 1 *"),
    nick: line("NICK *"),
    notice: (chat, rest) => chat.say(...two(rest), { notice: true }),
    op: status("+o"),
    page: (chat, which) => chat.page(which),
    part: (chat, rest) => {
        const [where, why] = ofRoom(chat, rest);
        chat.ask({ do: "part", room: where, why });
    },
    password: (chat, password) => line("NS SET PASSWORD *")(chat, secret(chat, password)),
    query: (chat, rest) => {
        const [nick, text] = two(rest);
        chat.talk(nick);
        if (text) chat.say(nick, text, {});
    },
    quit: (chat, words) => chat.quit(words),
    raw: (chat, text) => chat.ask({ do: "raw", place: chat.here.name, line: text }),
    reconnect: (chat) => chat.ask({ do: "reconnect" }),
    register: (chat, password) => chat.ask({ do: "register", password: secret(chat, password) }),
    remove: about("REDACT"),
    rename: (chat, rest) => {
        const [first, others] = two(rest);
        const named = isRoom(first) && isRoom(others);
        const [name, why] = two(named ? others : rest);
        line("RENAME 1 1 *")(chat, `${named ? first : room(chat)} ${roomName(name)} ${why}`);
    },
    report: about("REPORT"),
    reports: line("REPORTS +"),
    rooms: (chat) => chat.panels.go(true),
    search,
    set: line("NS SET +"),
    token: (chat, rest) => {
        const [verb, name] = two(rest);
        if (!["new", "list", "drop"].includes(verb) || !name === (verb !== "list")) refuse(`Usage: /token ${COMMANDS.token?.[0]}`);
        line(`NS TOKEN ${verb.toUpperCase()} *`)(chat, name);
    },
    topic: (chat, text) => {
        const named = isRoom(text) && !/\s/.test(text);
        if (text === "-") chat.line("TOPIC", room(chat), "");
        else line("TOPIC 1 *")(chat, named ? text : `${room(chat)} ${text}`);
    },
    uban,
    unban: line("UNBAN @ *"),
    unblock: line("UNBLOCK *"),
    unignore: (chat, mask) => chat.ignore(mask, false),
    voice: status("+v"),
    who: line("NAMES @"),
    whois: line("WHOIS *"),
    why: (chat, rest) => {
        const outside = chat.here.kind === "room" && !chat.here.joined ? chat.here.name : "";
        line("WHY 1")(chat, rest || outside);
    },
};

/** Do what was typed: a text, or, in a line alone, a command.
 * @param {Chat} chat @param {string} text */
export function enter(chat, text) {
    const typed = text.trim();
    if (!typed.startsWith("/") || typed.startsWith("//") || typed.includes("\n")) {
        if (!typed.startsWith("//") && isConfidential(typed)) {
            refuse("Not said, as a password may be in that line. A command begins with its slash; two slashes say the line all the same.");
        }
        const escaped = !typed.includes("\n") && !HELD_BACK.test(typed);
        return chat.say(place(chat), escaped ? text.replace(/^\s*\/\//, "/") : text, {});
    }
    let [word, rest] = two(typed.slice(1));
    word = word.toLowerCase();
    if (word === "q") word = rest ? "query" : "quit";
    if (word === "w") word = /\s/.test(rest) ? "msg" : "who";
    word = (Object.hasOwn(ALIASES, word) && ALIASES[word]) || word;
    const act = Object.hasOwn(ACTS, word) && ACTS[word];
    if (!act) return refuse(`There is no command /${word}.${near(word)} /help lists all of them.`);
    const [args = "", , needed = 0] = COMMANDS[word] ?? [];
    if (wordsOf(rest).length < needed) refuse(`Usage: /${word} ${args}`);
    act(chat, rest);
}

// Texts that the server would hold back if they began with one slash; with two it says them.
const HELD_BACK = /^\/\/+\s*(login|register|password|identify|token|pass|oper|nickserv|ns|msg\s+nickserv)\b/i;

/** Whether a line may have a password in it, as its slash is missing or mistyped.
 * @param {string} text */
const isConfidential = (text) =>
    /^[^\w/]*\/*\s*(login|register|password|identify)(\s+\S+)?\s+\S{8,}$/i.test(text) ||
    /^[^\w/]*\/*\s*(msg\s+)?(nickserv|ns)\s+(identify|register|ghost|set|login)\s+\S/i.test(text);

/** A suggestion for a command that does not exist.
 * @param {string} word */
function near(word) {
    const close = [1, 2].flatMap((changes) => Object.keys(COMMANDS).filter((name) => isNear(name, word, changes)));
    return close[0] ? ` Did you mean /${close[0]}?` : "";
}

/** Whether one word becomes the other if so many letters are changed, added or dropped.
 * @param {string} one @param {string} other @param {number} changes
 * @returns {boolean} */
function isNear(one, other, changes) {
    if (one && one[0] === other[0]) return isNear(one.slice(1), other.slice(1), changes);
    if (!changes) return one === other;
    const [less, shorter] = [one.slice(1), other.slice(1)];
    return isNear(less, shorter, changes - 1) || isNear(less, other, changes - 1) || isNear(one, shorter, changes - 1);
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
        return { start, found: rows.map(([name, [args, does]]) => ({ text: `/${name} `, note: `${args} ${does}`.trim() })) };
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
