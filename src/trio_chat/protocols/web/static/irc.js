// Lines of IRC (modern.ircdocs.horse; ircv3.net, "message-tags", "multiline"): read and written.

/** @type {Record<string, string>} */
const ESCAPED = { ";": "\\:", " ": "\\s", "\\": "\\\\", "\r": "\\r", "\n": "\\n" };
/** @type {Record<string, string>} */
const UNESCAPED = { ":": ";", s: " ", r: "\r", n: "\n" };

const LINE_MAX = 512; // bytes of a line with its CR LF, as others are sent it

// Nobody's nick!user@host is longer: what others see before our text has to fit into the line.
const SOURCE_MAX = 64 + 1 + 10 + 1 + 63;

const encoder = new TextEncoder();

/** @param {string} text */
export const bytes = (text) => encoder.encode(text).length;

/** Parse a line; null if there is nothing in it.
 * @param {string} text */
export function parse(text) {
    let rest = text.replace(/[\r\n\0]/g, "");
    const word = () => {
        const [found = ""] = /^[^ ]*/.exec(rest) ?? [];
        rest = rest.slice(found.length).replace(/^ +/, "");
        return found;
    };
    const tags = rest.startsWith("@") ? parseTags(word().slice(1)) : new Map();
    const source = rest.startsWith(":") ? word().slice(1) : "";
    const command = word().toUpperCase();
    if (!command) return null;
    const params = [];
    while (rest && !rest.startsWith(":")) params.push(word());
    if (rest) params.push(rest.slice(1));
    return { tags, source, nick: source.replace(/!.*/s, ""), command, params };
}

/** @param {string} text */
function parseTags(text) {
    const pairs = text.split(";").filter(Boolean).map((tag) => {
        const [key = "", value = ""] = tag.split(/=(.*)/s);
        return /** @type {[string, string]} */ ([key, unescape(value)]);
    });
    return new Map(pairs);
}

/** @param {string} value */
const unescape = (value) => value.replace(/\\(.?)/gs, (_, char) => UNESCAPED[char] ?? char);

/** A tag's value as it stands in a line.
 * @param {string} value */
export const escape = (value) => value.replace(/[; \\\r\n]/g, (char) => ESCAPED[char] ?? char);

/** Write a line; what would end it early becomes a blank. Throws an Error for a parameter before the
 * last one that could not be told from the others.
 * @param {string} command @param {string[]} params */
export function write(command, ...params) {
    const safe = params.map((param) => param.replace(/[\r\n\0]/g, " "));
    const last = safe.pop();
    const wrong = safe.find((param) => !param || param.includes(" ") || param.startsWith(":"));
    if (wrong !== undefined) throw new Error(`“${wrong}” cannot be sent over IRC.`);
    if (last === undefined) return command;
    const colon = !last || last.includes(" ") || last.startsWith(":") ? ":" : "";
    return [command, ...safe, colon + last].join(" ");
}

/**
 * Put tags before a line.
 * @param {Record<string, string>} tags  those with an empty value are left out
 * @param {string} line
 */
export function tagged(tags, line) {
    const pairs = Object.entries(tags).filter(([, value]) => value);
    const text = pairs.map(([key, value]) => `${key}=${escape(value)}`).join(";");
    return text ? `@${text} ${line}` : line;
}

/** The form under which a name is looked up here. The server has the last word on which are the same.
 * @param {string} name */
export const fold = (name) => name.normalize("NFKD").toLowerCase().normalize("NFKC");

/** @param {string} target */
export const isRoom = (target) => /^[#&]/.test(target);

/** @param {string} name */
export const roomName = (name) => (isRoom(name) ? name : `#${name}`);

/** A token of 128 random bits, by which the server knows a message, or a person, again. */
export const newToken = () =>
    [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, "0")).join("");

/**
 * Cut a text into pieces of at most `most` bytes, between words if possible, never within a letter.
 * @param {string} text  one line
 * @param {number} most
 */
export function pieces(text, most) {
    /** @type {string[]} */
    const found = [];
    let [piece, size, word] = ["", 0, 0];
    for (const { segment } of new Intl.Segmenter().segment(text)) {
        const more = bytes(segment);
        if (size + more > most && piece) {
            const end = word > piece.length / 2 ? word : piece.length;
            found.push(piece.slice(0, end));
            piece = piece.slice(end);
            [size, word] = [bytes(piece), 0];
        }
        piece += segment;
        size += more;
        if (segment === " ") word = piece.length;
    }
    return [...found, piece];
}

/** The bytes of text that fit into one line, as others are sent it.
 * @param {string} target @param {boolean} action */
const room = (target, action) =>
    LINE_MAX - SOURCE_MAX - bytes(`: PRIVMSG ${target} :\r\n`) - (action ? 9 : 0);

/** Cut a text into as few messages as the server takes, each of which `linesOf` can write.
 * @param {string} target @param {string} text @param {boolean} action @param {Limits} limits */
export function messagesOf(target, text, action, limits) {
    const most = room(target, action);
    /** @type {string[][]} */
    const messages = [];
    let [size, count] = [0, 0];
    for (const line of text.replace(/\x01/g, "").split(/\r?\n/)) {
        for (const long of pieces(line, limits.bytes || most)) {
            const parts = pieces(long, most).length;
            const fits = size + 1 + bytes(long) <= limits.bytes && count + parts <= limits.lines;
            if (!messages.length || !fits) {
                messages.push([]);
                [size, count] = [0, 0];
            }
            messages.at(-1)?.push(long);
            size += 1 + bytes(long);
            count += parts;
        }
    }
    const wholes = messages.map((lines) => lines.join("\n").replace(/^(\s*\n)+|\s+$/g, ""));
    return wholes.filter((whole) => whole.trim());
}

/** Write one message: a line, or a batch of several.
 * @param {string} target @param {string} text @param {{action?: boolean, notice?: boolean}} how
 * @param {Record<string, string>} tags */
export function linesOf(target, text, { action = false, notice = false }, tags) {
    const command = notice ? "NOTICE" : "PRIVMSG";
    const most = room(target, action);
    const parts = text.split("\n").flatMap((line) =>
        pieces(line, most).map((part, number) => ({ part, joined: number > 0 })));
    if (action && parts[0]) parts[0].part = `\x01ACTION ${parts[0].part}`;
    if (action) parts[parts.length - 1].part += "\x01";
    if (parts.length === 1) return [tagged(tags, write(command, target, parts[0].part))];
    return [
        tagged(tags, write("BATCH", "+m", "draft/multiline", target)),
        ...parts.map(({ part, joined }) =>
            `@batch=m${joined ? ";draft/multiline-concat" : ""} ${write(command, target, part)}`),
        "BATCH -m",
    ];
}
