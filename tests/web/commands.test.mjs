import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { ACTS, complete, enter } from "#page/commands.js";
import { COMMANDS } from "#page/words.js";

const { sent } = JSON.parse(readFileSync(process.env.VECTORS, "utf8"));

/** A chat in #room that notes what it is asked. */
function chat() {
    const here = { name: "#room", kind: "room", lines: [{ id: "1-1", kind: "said", nick: "bob", own: false }, { id: "1-2", kind: "said", nick: "me", own: true }],
        members: new Map(["bob", "carol", "me"].map((nick) => [nick, { nick }])), speakers: new Map([["carol", 1]]) };
    const done = [];
    const notes = (kind) => (...words) => void done.push([kind, ...words]);
    return { here, done, secure: true, model: { state: { nick: "me" }, places: [here] }, line: notes("line"), say: notes("say"), ask: notes("ask"), search: notes("search") };
}

const run = (line) => {
    const it = chat();
    enter(it, line);
    return it.done;
};

test("there is an act for each that is told of", () => {
    assert.deepEqual(Object.keys(ACTS), Object.keys(COMMANDS));
});

test("they send what the terminal client sends", () => {
    for (const [line, words] of sent) assert.deepEqual(run(line), [["line", ...words]], line);
});

test("texts are said as they are, with one slash less if there are two", () => {
    assert.deepEqual(run("hello  there"), [["say", "#room", "hello  there", {}]]);
    assert.deepEqual(run("//etc"), [["say", "#room", "/etc", {}]]);
    assert.deepEqual(run("//login is a command"), [["say", "#room", "//login is a command", {}]]);
    assert.deepEqual(run("/a\n/b"), [["say", "#room", "/a\n/b", {}]]);
    assert.deepEqual(run("/me waves"), [["say", "#room", "waves", { action: true }]]);
});

test("mistakes are answered, and a password is not said", () => {
    for (const [line, why] of [["/constructor", /no command/], ["/jion #a", /Did you mean \/join/], ["/kick", /Usage: \/kick/], ["login hunter22", /password/], ["/password a b", /one word/], ["/remove last nobody", /nobody has said nothing/]]) {
        assert.throws(() => run(line), why, line);
    }
});

test("completion offers commands, people who spoke first, rooms and emoji", () => {
    const found = (text) => complete(chat(), text).found.map((one) => one.text);
    assert.deepEqual(found("/jo"), ["/join "]);
    assert.deepEqual(found("c"), ["carol: "]);
    assert.deepEqual(found("hi b"), ["bob "]);
    assert.deepEqual(found("#r"), ["#room "]);
    assert.equal(found(":tad")[0], "🎉");
});
