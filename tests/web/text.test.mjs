import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { clean, names, piecesOf, shownLines } from "#page/text.js";

const { cleaned, plain } = JSON.parse(readFileSync(process.env.VECTORS, "utf8"));

test("text is cleaned as the server and the terminal client do", () => {
    for (const [text, expected] of cleaned) assert.equal(clean(text), expected, JSON.stringify(text));
});

test("formatting is dropped as there, and shown as looks", () => {
    for (const [text, expected] of plain) {
        assert.equal(shownLines(text), expected, JSON.stringify(text));
        assert.equal(piecesOf(text).map((piece) => piece.text).join(""), expected, JSON.stringify(text));
    }
    const [, bold, colour] = piecesOf("a \x02b\x02\x0304,01c");
    assert.deepEqual([bold.look.bold, bold.text, colour.look.colour, colour.text], [true, "b", 4, "c"]);
});

test("links end where people end them, and are only those of the web", () => {
    const links = (text) => piecesOf(text).flatMap(({ href }) => href ?? []);
    assert.deepEqual(links("see https://a.example/x_(y), (http://b.example/z)."), ["https://a.example/x_(y)", "http://b.example/z"]);
    assert.deepEqual(links("javascript:alert(1) data:text/html,x ftp://c https://"), []);
    assert.deepEqual(links('https://a.example/"onmouseover=x <b>'), ["https://a.example/"]);
});

test("a name is found alone, in any case", () => {
    assert.ok(names("hey Alice!", "alice") && names("alice: hi", "Alice") && names("[x]: y", "[x]"));
    assert.ok(!names("malice", "alice") && !names("alice_2", "alice") && !names("x", ""));
});
