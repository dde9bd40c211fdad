// The meaning of the server's lines: one row each in the tables at the end.

import { fold, isRoom } from "./irc.js";
import { shown } from "./text.js";

const CTCP = "\x01";
const HISTORY = new Set(["chathistory", "soju.im/search"]);

// Batches of messages between which there may be others: of a search, and of what has waited for us.
const SOME = new Set(["soju.im/search", "trio-chat/missed"]);

const LOCKED = "This chat is for those who have its password, or an account";
const CUT_OFF = "That is no invitation to this chat: it may be cut off. Copy the whole link again";

/** @param {Session} session @param {Line} line */
export function understand(session, line) {
    const label = line.tags.get("label") ?? "";
    const outer = session.batches.get(line.tags.get("batch") ?? "");
    const asked = session.labels.get(label) ?? outer?.asked;
    if (line.command === "BATCH") return onBatch(session, line, asked);
    if (outer?.kind === "draft/multiline") return collect(outer, line);
    tell(session, line, { asked, batch: outer });
    if (label) answered(session, label);
}

/** @param {Session} session @param {string} label */
function answered(session, label) {
    const asked = session.labels.get(label);
    session.labels.delete(label);
    if (asked) OVER[asked.kind]?.(session, asked);
}

/** @param {Session} session @param {Line} line @param {Asked | undefined} asked */
function onBatch(session, line, asked) {
    const [mark = "", kind = "", target = ""] = line.params;
    const name = mark.slice(1);
    if (mark.startsWith("+")) {
        const outer = line.tags.get("batch") ?? "";
        session.batches.set(name, { kind, target, asked, opening: line, outer, pieces: [], command: "" });
        return;
    }
    const batch = session.batches.get(name);
    session.batches.delete(name);
    if (!batch) return;
    if (batch.kind === "draft/multiline") {
        const text = batch.pieces.map(({ text, joined }, at) => (at && !joined ? `\n${text}` : text)).join("");
        const whole = { ...batch.opening, command: batch.command, params: [batch.target, text] };
        if (batch.command) tell(session, whole, { asked, batch: session.batches.get(batch.outer) });
    }
    const label = batch.opening.tags.get("label");
    if (label) answered(session, label);
}

/** @param {Batch} batch @param {Line} line */
function collect(batch, line) {
    if (line.command !== "PRIVMSG" && line.command !== "NOTICE") return;
    batch.command ||= line.command;
    batch.pieces.push({ text: line.params[1] ?? "", joined: line.tags.has("draft/multiline-concat") });
}

/** @param {Session} session @param {Line} line @param {Around} around */
function tell(session, line, around) {
    const history = HISTORY.has(around.batch?.kind ?? "");
    const place = around.batch?.target ?? "";
    if (around.batch?.kind === "chathistory") session.history.saw(place, idOf(line), around.asked);
    const [needed, means, past] = COMMANDS[line.command] ?? [0, undefined, false];
    if (/^\d{3}$/.test(line.command)) return onNumeric(session, line, around);
    if (means && line.params.length >= needed && (past || !history)) means(session, line, around);
}

/** @param {Line} line */
const idOf = (line) => line.tags.get("msgid") ?? "";

/** What is told of all that happens in a place.
 * @param {Session} session @param {Line} line @param {Around} around */
function inPlace(session, line, { batch, asked }) {
    const past = batch?.kind === "chathistory";
    const target = (line.params[0] ?? "").replace(/^[@+](?=#)/, "");
    const own = session.isMe(line.nick) || session.isOurs(line.tags.get("+trio-chat/id") ?? ""); // perhaps under a nickname that we had
    const partner = own ? target : line.nick;
    const place = past ? batch.target : isRoom(target) ? target : partner;
    const id = idOf(line);
    if (!past && !SOME.has(batch?.kind ?? "")) session.history.saw(place, id, undefined);
    return { ...ofPerson(session, line), place: shown(place), id, own, past: past && asked ? asked.kind : "" };
}

/** What is told of all that somebody does: its `type` is the command.
 * @param {Session} session @param {Line} line */
const ofPerson = (session, { command, nick, params, tags }) => ({
    type: command, nick: shown(nick), own: session.isMe(nick), params: params.map(shown), tags, time: Date.parse(tags.get("time") ?? "") || 0,
});

/** @type {Means} */
const tellOfPlace = (session, line, around) => session.tell(inPlace(session, line, around));

/** @type {Means} */
const tellOfPerson = (session, line) => session.tell(ofPerson(session, line));

// ── what is said ─────────────────────────────────────────────────────────────────────────────────

/** @type {Means} */
function onSaid(session, line, around) {
    const notice = line.command === "NOTICE";
    const text = line.params[1] ?? "";
    if (notice && isService(session, line)) return onService(session, line, around);
    const action = text.startsWith(`${CTCP}ACTION `);
    if (text.startsWith(CTCP) && !action) return;
    const said = action ? text.slice(8).replace(/\x01$/, "") : text;
    const token = line.tags.get("+trio-chat/id") ?? "";
    const reply = line.tags.get("+draft/reply") ?? line.tags.get("+reply") ?? "";
    const message = { ...inPlace(session, line, around), type: "said", text: said, action, notice, token, reply };
    if (around.batch?.kind === "soju.im/search") {
        around.asked?.found.push(message);
        return;
    }
    session.tell(message);
    if (session.isOurs(token)) session.arrived(token);
}

/** @param {Session} session @param {Line} line */
const isService = (session, line) =>
    !line.source.includes("!") || line.source.split("@").pop() === session.server;

/** @type {Means} */
function onService(session, line, { asked }) {
    const [target = "", text = ""] = line.params;
    if (asked?.kind === "quiet") return;
    session.tell({ type: "note", place: isRoom(target) ? target : asked?.place ?? "", text: shown(text) });
}

// ── rooms and people ─────────────────────────────────────────────────────────────────────────────

/** @type {Means} */
function onJoin(session, line, around) {
    const room = line.params[0] ?? "";
    if (!session.isMe(line.nick)) return tellOfPlace(session, line, around);
    session.history.enter(room); // first: our own coming must not hide what we have missed
    session.entered(room);
    tellOfPlace(session, line, around);
    session.ask({ kind: "people", place: room, people: [] }, `WHO ${room}`);
}

/** @type {Means} */
function onPart(session, line, around) {
    if (session.isMe(line.nick)) session.forget(line.params[0] ?? "");
    tellOfPlace(session, line, around);
}

/** @type {Means} */
function onKick(session, line, around) {
    const message = inPlace(session, line, around);
    if (session.isMe(line.params[1] ?? "") && !message.past) session.forget(message.place);
    session.tell(message);
}

/** @type {Means} */
function onNick(session, line) {
    const [nick = ""] = line.params;
    session.tell(ofPerson(session, line));
    if (!session.isMe(line.nick)) return;
    session.nick = session.who.nick = nick;
    session.store.keep({ nick });
}

/** @type {Means} */
function onRename(session, line) {
    const [room = "", to = ""] = line.params;
    const { rooms } = session.store.kept;
    const { key, why } = Object.values(rooms).find(({ name }) => name === room) ?? { key: "" };
    session.forget(room);
    session.store.keep({ rooms: { ...session.store.kept.rooms, [fold(to)]: { name: to, key, why } } });
    session.history.rename(room, to);
    session.tell(ofPerson(session, line));
}

/** @type {Means} */
const onMode = (session, line, around) =>
    (isRoom(line.params[0] ?? "") ? tellOfPlace : tellOfPerson)(session, line, around);

// ── the server ───────────────────────────────────────────────────────────────────────────────────

/** @type {Means} */
function onCap(session, line) {
    const [, verb = "", ...rest] = line.params;
    const words = (rest.at(-1) ?? "").split(" ").filter(Boolean);
    if (verb === "LS" || verb === "NEW") {
        for (const word of words) session.offered.set(word.split("=")[0] ?? "", word.split(/=(.*)/)[1] ?? "");
        if (rest[0] !== "*" || rest.length < 2) session.offeredAll();
    }
    if (verb === "ACK") session.acknowledged(words);
    if (verb === "NAK") session.endOfCaps();
}

/** @type {Means} */
function onError(session, line) {
    const why = shown(line.params[0] ?? "").replace(/^Closing Link: /i, "");
    if (!session.registered) session.farewell = why; // refusals were told before
    else session.tell({ type: "note", place: "", text: why, refusal: true });
}

/** @type {Means} */
function onFail(session, line, { asked }) {
    const [command = "", code = "", ...rest] = line.params;
    const why = shown(rest.at(-1) ?? "");
    const refusal = line.command === "FAIL";
    if (command === "IDENTITY") session.identified = false;
    if (code === "NICKNAME_RESERVED" && !session.registered) session.reserved = why;
    else if (!session.registered && refusal) notAdmitted(session, code, why);
    else if (asked?.kind === "text" && code === "ALREADY_SENT") session.discard(asked.token);
    else if (asked?.kind === "text") session.failed(asked.token, why);
    else if (asked && (asked.kind === "gap" || asked.kind === "page")) session.history.failed(asked);
    else if (asked?.kind !== "quiet" && command !== "MARKREAD") note(session, asked, command === "SEARCH" ? "" : rest[0] ?? "", why, refusal);
    if (asked) asked.refused = why;
}

/** Say why we are not let in; the server asks for an invitation also if what we gave is none.
 * @param {Session} session @param {string} code @param {string} why */
function notAdmitted(session, code, why) {
    if (code !== "ACCOUNT_REQUIRED") session.refused("server", why);
    else session.refused("entry", session.who.entry && /an invitation/.test(why) ? CUT_OFF : why);
}

/** Tell a sentence where it was asked for, or in the room that it is about.
 * @param {Session} session @param {Asked | undefined} asked @param {string} about
 * @param {string} text @param {boolean} refusal */
function note(session, asked, about, text, refusal = false) {
    const place = asked ? asked.place : isRoom(about) ? about : "";
    session.tell({ type: "note", place, text: shown(text), refusal });
}

/** @type {Means} */
function onRegister(session, line) {
    session.tell({ type: "note", place: "", text: `${shown(line.params.at(-1) ?? "").replace(/\.$/, "")}.` });
    if (line.params[0] === "SUCCESS") session.keepDevice();
}

// ── numerics ─────────────────────────────────────────────────────────────────────────────────────

/** @type {Means} */
function onNumeric(session, line, around) {
    const { command, params } = line;
    const rest = params.slice(1).map(shown);
    const { asked } = around;
    const known = NUMERICS[command];
    if (known) return known(session, rest, asked, line);
    const words = ANSWERS[command];
    if (words) return note(session, asked, rest[0] ?? "", words(rest));
    if (SILENT.has(command) || (!asked && !session.ready)) return onEarly(session, command, rest);
    const why = rest.at(-1) ?? "";
    const refusal = command >= "400";
    if (refusal && asked?.kind === "text") return session.failed(asked.token, why);
    if (refusal && asked?.kind === "join") {
        session.forget(asked.place);
        session.joined(asked.place);
        session.tell({ type: "kept out", place: asked.place, why });
        return;
    }
    note(session, asked, rest[0] ?? "", refusal ? sentence(rest) : rest.join(" "), refusal);
}

/** A reason, after the names of what it is about unless it mentions them.
 * @param {string[]} rest */
function sentence(rest) {
    const why = rest.at(-1) ?? "";
    const about = rest.slice(0, -1).filter((word) => !why.includes(word));
    return about.length ? `${about.join(" ")}: ${why}` : why;
}

/** @param {Session} session @param {string} command @param {string[]} rest */
function onEarly(session, command, rest) {
    if (session.registered || command < "400") return;
    const why = rest.at(-1) ?? "";
    if (command === "432" || command === "433") session.nickRefused(why);
    else if (command === "464") session.refused("entry", session.who.entry ? why : LOCKED);
    else if (command === "465") session.refused("server", why);
}

/** @param {Session} session @param {string[]} rest */
const loginRefused = (session, rest) => session.loginRefused(rest.at(-1) ?? "");

/** @type {Record<string, (session: Session, rest: string[], asked: Asked | undefined, line: Line) => void>} */
const NUMERICS = {
    "001": (session, _, __, line) => {
        session.server = line.source;
        session.welcomed(line.params[0] ?? "");
    },
    "005": (session, rest) => {
        for (const token of rest) {
            const [name, value = ""] = token.split(/=(.*)/);
            if (name === "NETWORK") session.network = value;
            if (name === "PREFIX") session.prefixes = value.split(")")[1] ?? "@+";
            if (name === "trio-chat/BUILD") session.build = value;
            if (name === "draft/ACCOUNTREQUIRED") session.isClosed = true;
        }
    },
    "372": (session, [text = ""], asked) => {
        if (asked || !session.greeted) note(session, asked, "", text.replace(/^- /, ""));
    },
    "376": (session) => session.linked(),
    "422": (session, [why = ""], asked) => {
        if (asked) note(session, asked, "", why);
        session.linked();
    },
    "305": (session) => session.tell({ type: "AWAY", nick: session.nick, params: [] }),
    "306": (session) => session.tell({ type: "AWAY", nick: session.nick, params: ["away"] }),
    "322": (session, [room = "", count = "0", topic = ""], asked) => {
        if (asked?.kind === "list") asked.rooms.push({ room, count: Number(count), topic });
    },
    "331": (session, [room = ""], asked) => {
        session.tell({ type: "topic", place: room, text: "" });
        if (asked?.kind === "command") note(session, asked, "", `${room} has no topic.`);
    },
    "332": (session, [room = "", text = ""], asked) => {
        session.tell({ type: "topic", place: room, text });
        if (asked?.kind === "command") note(session, asked, "", `The topic of ${room}: ${text}`);
    },
    "352": (session, rest, asked) => {
        const [, user = "", host = "", , nick = "", flags = "", real = ""] = rest;
        if (asked?.kind !== "people") return note(session, asked, "", `${nick} is ${user}@${host} (${real.replace(/^\d+ /, "")})`);
        const prefixes = [...flags].filter((flag) => session.prefixes.includes(flag)).join("");
        asked.people.push({ nick, prefixes, away: flags.startsWith("G"), bot: flags.includes("B") });
    },
    "353": (_, rest, asked) => {
        if (asked?.kind === "command") asked.names = [...asked.names ?? [], ...(rest.at(-1) ?? "").split(" ").filter(Boolean)];
    },
    "366": (session, [room = ""], asked) => {
        if (asked?.kind !== "command") return;
        const nicks = (asked.names ?? []).map((/** @type {string} */ name) => name.replace(/^[~&@%+!]+/, "").replace(/!.*/, "")).sort();
        note(session, asked, "", nicks.length ? `In ${room} (${nicks.length}): ${nicks.join(", ")}` : `Nobody is in ${room}.`);
    },
    "367": (session, [room = "", mask = "", by = "", , number = "", until = "", named = "*", why = ""], asked) => {
        const ends = Number(until) ? ` until ${new Date(Number(until) * 1000).toLocaleString()}` : "";
        const [nick = "", account = ""] = by.split("!");
        const known = account && !account.includes("@") && fold(account) !== fold(nick) ? ` (${account})` : "";
        const whom = mask.replace(/^m:/, "").replace(/^a:/, "account ");
        const what = mask.startsWith("m:") ? "is muted" : "is banned";
        note(session, asked, room, `${Number(number) ? `${number}: ` : ""}${whom}${named === "*" ? "" : ` (${named})`} ${what}${nick ? ` by ${nick}${known}` : ""}${ends}${why ? `: ${why}` : ""}`);
        if (asked) asked.count = (asked.count ?? 0) + 1;
    },
    "368": (session, [room = ""], asked) => {
        if (asked?.kind === "command" && !asked.count) note(session, asked, room, `Nobody is banned from ${room === "*" ? "this chat" : room}.`);
    },
    "900": (session, rest) => session.known(rest[1] ?? ""),
    "901": (session) => session.known(""),
    "903": (session) => session.loggedIn(),
    "904": loginRefused,
    "905": loginRefused,
};

// Answers that the server gives no sentence for.
/** @type {Record<string, (p: string[]) => string>} */
const ANSWERS = {
    "301": (p) => `${p[0]} is away: ${p[1]}`,
    "311": (p) => `${p[0]} is ${p[1]}@${p[2]} (${p[4]})`,
    "312": (p) => `${p[0]} is on ${p[1]} (${p[2]})`,
    "314": (p) => `${p[0]} was ${p[1]}@${p[2]} (${p[4]})`,
    "317": (p) => `${p[0]} has been silent for ${p[1]} seconds`,
    "319": (p) => `${p[0]} is in ${(p[1] ?? "").replace(/(^| )[~&@%+!]+(?=[#&])/g, "$1")}`,
    "324": (p) => `The modes of ${p[0]}: ${p.slice(1).join(" ")}`,
    "330": (p) => `${p[0]} is logged in as ${p[1]}`,
    "338": (p) => `${p[0]} is really at ${p[1]}`,
    "341": (p) => `${p[0]} has been invited to ${p[1]}`,
    "346": (p) => `${p[0]} lets in ${p[1]}`,
    "348": (p) => `${p[0]} does not ban ${p[1]}`,
    "671": (p) => `${p[0]} ${p[1]}`,
};

/** For programs only, and the beginnings and ends of lists. */
const SILENT = new Set([
    "002", "003", "004", "221", "251", "252", "254", "255", "265", "266", "315",
    "318", "321", "323", "329", "333", "347", "349", "365", "369", "374", "375", "906", "908",
]);

// What is to be done once all of an answer has come, by what was asked.
/** @type {Record<string, (session: Session, asked: Asked) => void>} */
const OVER = {
    gap: (session, asked) => asked.refused === undefined && session.history.over(asked),
    page: (session, asked) => asked.refused === undefined && session.history.over(asked),
    talks: (session) => session.history.talksOver(),
    join: (session, { place }) => session.joined(place), // or we are there already, or may not be
    people: (session, { place, people }) => people.length && session.tell({ type: "roster", place, people }),
    list: (session, { rooms }) => session.tell({ type: "listed", rooms }),
    search: (session, { place, words, found, refused }) =>
        session.tell({ type: "found", place, words, found, refused: refused ?? "" }),
    text: (session, { token }) => {
        if (session.onTheWay.has(token)) session.failed(token, "The server does not say what has become of this message.");
    },
};

// The parameters that each command needs, what it means, and whether history may have it.
/** @type {Record<string, [number, Means, boolean?]>} */
const COMMANDS = {
    ACCOUNT: [1, (session, line) => {
        if (session.isMe(line.nick)) session.known((line.params[0] ?? "").replace("*", ""));
    }],
    AUTHENTICATE: [1, (session, line) => void session.authenticate(line.params[0] ?? "")],
    AWAY: [0, tellOfPerson],
    CAP: [3, onCap],
    CHATHISTORY: [3, (session, line) => session.history.talked(line.params[1] ?? "", line.params[2] ?? "")],
    ERROR: [1, onError],
    FAIL: [3, onFail],
    INVITE: [2, tellOfPerson],
    JOIN: [1, onJoin],
    KICK: [2, onKick, true],
    MARKREAD: [2, tellOfPerson],
    MODE: [2, onMode, true],
    NICK: [1, onNick],
    NOTE: [3, onFail],
    NOTICE: [2, onSaid, true],
    PART: [1, onPart],
    PING: [1, (session, line) => session.line("PONG", line.params.at(-1) ?? "")],
    PRIVMSG: [2, onSaid, true],
    QUIT: [0, tellOfPerson],
    REDACT: [2, tellOfPlace, true],
    REGISTER: [3, onRegister],
    RENAME: [2, onRename],
    TAGMSG: [1, tellOfPlace, true],
    TOPIC: [2, tellOfPlace, true],
    WALLOPS: [1, (session, line) => note(session, undefined, "", `${line.nick} announces: ${line.params[0]}`)],
    WARN: [3, onFail],
};
