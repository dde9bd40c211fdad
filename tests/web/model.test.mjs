import assert from "node:assert/strict";
import { test } from "node:test";

import { Model } from "#page/model.js";

let clock = 1_700_000_000_000;

function model() {
    const calls = [];
    const it = new Model(() => clock, (_, line) => calls.push(line.text));
    it.hear({ type: "linked", nick: "alice", network: "net", build: "", limits: { bytes: 0, lines: 1 } });
    it.hear(did("JOIN", "alice", [], { own: true }));
    it.calls = it.calls;
    return Object.assign(it, { rung: calls });
}

const said = (id, text = `text ${id}`, more = {}) => ({
    type: "said", place: "#a", nick: "bob", id, time: clock + Number(id), own: false, past: "", text,
    action: false, notice: false, token: "", reply: "", account: "", ...more });
const did = (type, nick, params = [], more = {}) => ({ type, place: "#a", nick, params: ["#a", ...params], tags: new Map(), time: clock, past: "", ...more });
const texts = (it, place = "#a") => it.find(place).lines.map(({ text }) => text);

test("messages stand in the server's order, each once", () => {
    const it = model();
    for (const id of ["5", "3", "4", "3", "9", "5"]) it.hear(said(id));
    assert.deepEqual(texts(it), ["text 3", "text 4", "text 5", "text 9"]);
});

test("what is on its way stands last, is confirmed in place, and keeps its key", () => {
    const it = model();
    it.hear({ type: "sent", token: "t", target: "#a", text: "mine" });
    const { key } = it.find("#a").lines[0];
    it.hear(said("1"));
    assert.deepEqual(texts(it), ["text 1", "mine"]);
    it.hear(said("2", "mine", { nick: "alice", own: true, token: "t" }));
    it.hear(said("2", "mine", { nick: "alice", own: true, token: "t", past: "gap" }));
    const line = it.find("#a").lines.at(-1);
    assert.deepEqual([texts(it), line.state, line.key], [["text 1", "mine"], "sent", key]);
});

test("what has failed stays, and goes back on its way", () => {
    const it = model();
    it.hear({ type: "sent", token: "t", target: "#a", text: "mine" });
    it.hear({ type: "failed", token: "t", why: "no" });
    it.hear(said("1"));
    assert.deepEqual(it.find("#a").lines.map(({ state }) => state), ["failed", "sent"]);
    it.hear({ type: "sent", token: "t", target: "#a", text: "mine" });
    assert.deepEqual(it.find("#a").lines.map(({ state }) => state), ["sent", "waiting"]);
});

test("unread and mentions are counted until the person sees them, here or elsewhere", () => {
    const it = model();
    for (const [id, text] of [["1", "x"], ["2", "alice: y"], ["3", "malice"]]) it.hear(said(id, text));
    const place = it.find("#a");
    assert.deepEqual([place.unread, place.mentions, place.newFrom === place.lines[0].key], [3, 1, true]);
    assert.deepEqual(it.rung, ["alice: y"]);
    it.hear(did("MARKREAD", "s", [`timestamp=${new Date(clock + 2).toISOString()}`]));
    assert.deepEqual([place.unread, place.mentions], [1, 0]);
    it.goTo(place);
    assert.equal(it.read(place), clock + 3);
    assert.deepEqual([place.unread, it.read(place)], [0, 0]);
});

test("history counts what came after the mark, and rings for nothing", () => {
    const it = model();
    it.hear(did("MARKREAD", "s", [`timestamp=${new Date(clock + 2).toISOString()}`]));
    for (const id of ["1", "2", "3"]) it.hear(said(id, "alice", { past: "gap" }));
    assert.deepEqual([it.find("#a").unread, it.rung], [1, []]);
    it.hear(said("0", "alice", { past: "page" }));
    assert.equal(it.find("#a").unread, 1);
});

test("the line of what is new stands above as many as are counted", () => {
    const it = model();
    const place = it.find("#a");
    const below = () => {
        const at = place.lines.findIndex(({ key }) => key === place.newFrom);
        return at < 0 ? 0 : place.lines.slice(at).filter(({ kind, own }) => kind === "said" && !own).length;
    };
    const counted = (many) => assert.deepEqual([place.unread, below()], [many, many]);
    it.hear(did("MARKREAD", "s", [`timestamp=${new Date(clock + 1).toISOString()}`]));
    it.hear(said("5"));
    for (const id of ["1", "2", "4"]) it.hear(said(id, "missed", { past: "gap" }));
    counted(3);
    it.hear(did("MARKREAD", "s", [`timestamp=${new Date(clock + 4).toISOString()}`]));
    counted(1);
    it.hear(did("MARKREAD", "s", [`timestamp=${new Date(clock + 5).toISOString()}`]));
    counted(0);
    it.hear(said("6"));
    it.goTo(place);
    it.read(place);
    assert.deepEqual([place.unread, below()], [0, 1]); // while the person looks
    it.atEnd = false;
    it.hear(said("7"));
    counted(1);
    it.goTo(it.open("#b")); // without having seen it
    counted(1);
    it.hear(said("8"));
    counted(2);
});

test("those who come and go silently share a line", () => {
    const it = model();
    for (const nick of ["bob", "carol"]) it.hear(did("JOIN", nick));
    it.hear(did("PART", "bob"));
    assert.deepEqual(texts(it), ["carol joined; bob came and went"]);
    it.hear(said("1", "x", { nick: "carol" }));
    it.hear({ ...did("QUIT", "carol"), params: ["bye"] });
    assert.equal(texts(it).at(-1), "carol left: bye");
});

test("reactions are known by who gave them, before and after the message", () => {
    const it = model();
    const react = (nick, on = true) => it.hear(did("TAGMSG", nick, [], { tags: new Map([["+draft/reply", "1"], [on ? "+draft/react" : "+draft/unreact", "👍"]]) }));
    react("bob");
    it.hear(said("1"));
    react("carol");
    react("carol");
    react("bob", false);
    assert.deepEqual([...it.find("#a").reactions.get("1")], [["👍", ["carol"]]]);
});

test("a removed message is blank, and nobody who is ignored is heard", () => {
    const it = model();
    it.hear(said("1", "secret"));
    it.hear(did("REDACT", "bob", ["1", "oops"]));
    it.ignored = ["Mallory"];
    it.hear(said("2", "spam", { nick: "mallory" }));
    assert.deepEqual(texts(it), ["(removed by bob: oops)"]);
});

test("an operator of the room or of the server leads it, until the connection is another one", () => {
    const it = model();
    it.goTo(it.find("#a"));
    assert.equal(it.leads, false);
    it.hear({ ...did("MODE", "s"), params: ["alice", "+o"] });
    assert.equal(it.leads, true);
    it.hear({ type: "linked", nick: "alice", network: "net", build: "", limits: { bytes: 0, lines: 1 } });
    assert.equal(it.leads, false);
    it.hear({ type: "roster", place: "#a", people: [{ nick: "alice", prefixes: "@", away: false, bot: false }] });
    assert.equal(it.leads, true);
});

test("a ban is told with its end and its reason", () => {
    const it = model();
    const tags = new Map([["trio-chat/seconds", "3600"], ["trio-chat/why", "spam"], ["trio-chat/whom", "eve"]]);
    it.hear(did("MODE", "olga", ["+b", "*!*@x.ip"], { id: "1", tags }));
    it.hear(did("MODE", "olga", ["+b", "m:a:bob"], { id: "2" }));
    it.hear(did("MODE", "olga", ["-b", "*!*@x.ip"], { id: "3" }));
    const end = new Date(clock + 3_600_000).toLocaleString();
    assert.deepEqual(texts(it).slice(-3), [
        `olga banned *!*@x.ip (eve) until ${end}: spam`,
        "olga muted account bob",
        "olga lifted the ban on *!*@x.ip",
    ]);
});

test("modes and renaming change the people", () => {
    const it = model();
    it.hear({ type: "roster", place: "#a", people: [{ nick: "bob", prefixes: "", away: false, bot: false }] });
    it.hear(did("MODE", "s", ["+lovb-v", "5", "bob", "bob", "x!*@*", "bob"], { id: "1" }));
    it.hear({ ...did("NICK", "bob"), params: ["rob"] });
    assert.deepEqual([...it.find("#a").members.values()].map(({ nick, prefixes }) => prefixes + nick), ["@rob"]);
});
