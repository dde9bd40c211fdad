// Text of others, made safe to show: without control characters, invisible letters, or letters that
// reverse what follows; its formatting (modern.ircdocs.horse, "Formatting") as runs; links and emoji.

const FLAG = "\\u{1f3f4}[\\u{e0020}-\\u{e007e}]+\\u{e007f}";
const HIDDEN = "(?![\\u200c\\u200d\\ufe00-\\ufe0f])[\\p{Default_Ignorable_Code_Point}\\p{Cs}\\p{Zl}\\p{Zp}\\ufff9-\\ufffb]";
const JOINED = `(?!${HIDDEN})[^\\s\\x00-\\x7f\\u200c\\u200d]`;
const UNSAFE = new RegExp(
    `(${FLAG}|(?<=${JOINED})[\\u200c\\u200d](?=${JOINED}))|([\\x00-\\x1f\\x7f-\\x9f])|(?:[\\u200c\\u200d]|${HIDDEN})+`, "gu");
const PILES = /(\p{M}{4})\p{M}+/gu; // more accents on a letter than any language needs

const FORMATTING =
    /\x03(?:(\d{1,2})(?:,\d{1,2})?)?|\x04(?:[0-9a-f]{6}(?:,[0-9a-f]{6})?)?|[\x02\x0f\x11\x16\x1d-\x1f]/gi;

// Of the colours 16 to 87, which are twelve hues from dark to pale, the like among the first 16.
const HUES = [4, 7, 8, 9, 3, 10, 11, 12, 12, 6, 13, 13];

const RUNS_MAX = 100; // pieces of one line that have a look: nobody sends more for anybody's good

/** @type {Look} */
const PLAIN = { bold: false, italic: false, underline: false, strike: false, colour: -1 };

/** @type {Record<string, "bold" | "italic" | "underline" | "strike">} */
const SWITCHES = { "\x02": "bold", "\x1d": "italic", "\x1f": "underline", "\x1e": "strike" };

/** One line as it may be shown beside other people's text.
 * @param {string} text */
export function clean(text) {
    if (/^[\x20-\x7e]*$/.test(text)) return text;
    return text.replace(UNSAFE, replacement).replace(PILES, "$1");
}

/** @param {string} _ @param {string | undefined} kept @param {string | undefined} control */
function replacement(_, kept, control) {
    if (kept || !control) return kept ?? "";
    const code = control.charCodeAt(0);
    if (control === "\t") return "    ";
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? "\u2421" : "\ufffd";
}

/** The same without formatting, for names and sentences.
 * @param {string} text */
export const shown = (text) => clean(text.replace(FORMATTING, ""));

/** The same for a text of several lines.
 * @param {string} text */
export const shownLines = (text) => text.split("\n").map(shown).join("\n");

/** Whether nothing of a text can be seen.
 * @param {string} text */
export const isInvisible = (text) => !shownLines(text.replace(/[\0\x01]/g, "")).trim();

/**
 * A text as pieces to show, each with its look; formatting ends with each line.
 * @param {string} text  as it was sent
 * @returns {Piece[]}
 */
export function piecesOf(text) {
    const lines = text.split("\n");
    return lines.flatMap((line, number) => {
        const end = number < lines.length - 1 ? [{ text: "\n", look: PLAIN }] : [];
        return [...formatted(line).flatMap(withLinks), ...end];
    });
}

/** @param {string} line */
function formatted(line) {
    /** @type {Piece[]} */
    const found = [];
    let [look, begin] = [PLAIN, 0];
    for (const code of line.matchAll(FORMATTING)) {
        found.push({ text: clean(line.slice(begin, code.index)), look });
        look = found.length > RUNS_MAX ? PLAIN : changed(look, code);
        begin = (code.index ?? 0) + code[0].length;
    }
    return [...found, { text: clean(line.slice(begin)), look }].filter((piece) => piece.text);
}

/** A look after a formatting code. Backgrounds and reverse are the reader's own.
 * @param {Look} look @param {RegExpMatchArray} code */
function changed(look, code) {
    const [char = ""] = code[0];
    const part = SWITCHES[char];
    if (part) return { ...look, [part]: !look[part] };
    if (char === "\x0f") return PLAIN;
    return char === "\x03" ? { ...look, colour: nearest(Number(code[1] ?? 99)) } : look;
}

/** @param {number} colour */
const nearest = (colour) => (colour < 16 ? colour : colour < 88 ? HUES[(colour - 16) % 12] ?? -1 : -1);

const LINK = /\bhttps?:\/\/[^\s<>"'`\\^{|}]+/gi;

/** @param {Piece} piece */
function withLinks(piece) {
    /** @type {Piece[]} */
    const found = [];
    let begin = 0;
    for (const { 0: match, index = 0 } of piece.text.matchAll(LINK)) {
        const text = trimmed(match);
        const href = address(text);
        if (!href) continue;
        found.push({ ...piece, text: piece.text.slice(begin, index) }, { ...piece, text, href });
        begin = index + text.length;
    }
    return [...found, { ...piece, text: piece.text.slice(begin) }].filter(({ text }) => text);
}

/** @param {string} link */
function address(link) {
    try {
        return new URL(link).href;
    } catch {
        return "";
    }
}

/** A link without the end of the sentence that it stands in, or the bracket around it.
 * @param {string} link */
function trimmed(link) {
    let text = link.replace(/[.,:;!?*_~]+$/, "");
    for (const [open, close] of ["()", "[]"]) {
        const closes = text.split(close ?? "").length > text.split(open ?? "").length;
        if (closes && text.endsWith(close ?? "")) text = text.slice(0, -1);
    }
    return text;
}

/** Whether a text names somebody: the name alone, not within a word.
 * @param {string} text @param {string} nick */
export function names(text, nick) {
    const letters = nick.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
    return nick !== "" && new RegExp(`(?<![\\p{L}\\p{N}_-])${letters}(?![\\p{L}\\p{N}_-])`, "iu").test(text);
}
