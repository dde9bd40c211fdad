import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { bytes, linesOf, messagesOf, parse, pieces, tagged, write } from "#page/irc.js";

const { split, join } = JSON.parse(readFileSync(process.env.VECTORS, "utf8"));

test("lines mean what all parsers take them for", () => {
    for (const { input, atoms } of split) {
        const line = parse(input);
        assert.deepEqual(line.params, atoms.params ?? [], input);
        assert.equal(line.command, atoms.verb.toUpperCase(), input);
        assert.equal(line.source, atoms.source ?? "", input);
        assert.deepEqual(Object.fromEntries(line.tags), Object.fromEntries(Object.entries(atoms.tags ?? {})), input);
    }
});

test("lines are written as all parsers expect", () => {
    for (const { atoms, matches } of join.filter((vector) => !vector.atoms.source)) {
        const { tags, ...line } = parse(tagged(atoms.tags ?? {}, write(atoms.verb, ...(atoms.params ?? []))));
        const expected = parse(matches[0]);
        assert.deepEqual(line.params, expected.params);
        for (const [key, value] of tags) assert.equal(value, expected.tags.get(key));
    }
});

test("nothing that is said begins another line", () => {
    assert.equal(write("PRIVMSG", "#a", "x\r\nQUIT\0"), "PRIVMSG #a :x  QUIT ");
    assert.throws(() => write("KICK", "#a b", "c"), /cannot be sent/);
});

test("a text is cut between words and never within a letter", () => {
    const family = "👨‍👩‍👧‍👦";
    for (const text of ["word ".repeat(200), family.repeat(40), "x".repeat(1000)]) {
        const cut = pieces(text, 100);
        assert.equal(cut.join(""), text);
        for (const piece of cut) assert.ok(bytes(piece) <= 100);
        if (text.startsWith(family)) for (const piece of cut) assert.equal(piece.replaceAll(family, ""), "");
    }
});

test("several lines are one message, as long as the server takes it", () => {
    const text = Array.from({ length: 50 }, (_, at) => `line ${at}`).join("\n");
    const messages = messagesOf("#a", text, false, { bytes: 4096, lines: 32 });
    assert.equal(messages.join("\n"), text);
    assert.deepEqual(messages.map((message) => message.split("\n").length), [32, 18]);
    const lines = linesOf("#a", messages[1], {}, { label: "1" });
    assert.equal(lines[0], "@label=1 BATCH +m draft/multiline #a");
    assert.equal(lines.at(-1), "BATCH -m");
    assert.equal(lines.length, 20);
});

test("without multiline each line is a message, and a long one several", () => {
    const messages = messagesOf("#a", `one\n\n${"long ".repeat(100)}`, false, { bytes: 0, lines: 1 });
    assert.equal(messages[0], "one");
    assert.equal(messages.slice(1).join(" ").replace(/\s+/g, " ").trim(), "long ".repeat(100).trim());
    for (const message of messages) assert.ok(bytes(linesOf("#a", message, {}, {})[0]) < 512 - 140);
});
