import assert from "node:assert/strict";
import { test } from "node:test";

import { label, page, Peer, token } from "./server.mjs";

const text = (seq, more = {}) => ({ token: `${seq}`.padStart(32, "0"), target: "#a", text: `text ${seq}`, seq, ...more });
const echo = (line, id) => `@label=${label(line)};msgid=${id};time=2026-01-01T00:00:01.000Z;+trio-chat/id=${token(line)} :alice!a@h PRIVMSG #a :${line.split(" :")[1] ?? "x"}`;

test("a text is kept until the server has shown it", () => {
    const peer = new Peer();
    peer.enter();
    peer.join("#a");
    peer.store.put(text(1));
    peer.session.request({ do: "texts" });
    const [line] = peer.take("PRIVMSG");
    assert.equal(token(line), text(1).token);
    assert.equal(peer.store.texts.length, 1);
    peer.say(echo(line, "0002-1"));
    assert.equal(peer.store.texts.length, 0);
    assert.equal(peer.told.filter(({ type }) => type === "said").length, 1);
});

test("a text is sent again with its token, once the gap is filled, in order, by another page too", () => {
    const peer = new Peer();
    peer.enter();
    peer.join("#a");
    for (const seq of [1, 2, 3]) peer.store.put(text(seq));
    peer.session.request({ do: "texts" });
    const [first] = peer.take("PRIVMSG");
    peer.say(echo(first, "0002-1"));
    const reloaded = new Peer(peer.store.storage);
    reloaded.enter();
    reloaded.enters("#a", "0003-1");
    const asked = reloaded.sent.find((line) => line.includes("CHATHISTORY LATEST #a"));
    assert.deepEqual(reloaded.take("PRIVMSG"), []);
    const missed = `msgid=0002-2;time=2026-01-01T00:00:01.000Z;+trio-chat/id=${text(2).token} :alice!a@h PRIVMSG #a :text`;
    reloaded.say(...page(label(asked), "#a", [missed]));
    assert.deepEqual(reloaded.take("PRIVMSG").map(token), [text(3).token]);
});

test("what is said during the welcome waits until its room is entered", () => {
    const peer = new Peer();
    peer.session.join("#a");
    peer.welcome();
    peer.store.put(text(1));
    peer.session.request({ do: "texts" });
    assert.deepEqual(peer.take("PRIVMSG"), []);
    peer.say(":s 422 alice :No MOTD");
    peer.answer("TARGETS", (it) => [`@label=${it} :s BATCH +t draft/chathistory-targets`, ":s BATCH -t"]);
    peer.enters("#a");
    assert.equal(peer.sent.some((line) => line.includes("PRIVMSG")), false);
    peer.answer("CHATHISTORY LATEST", (it) => page(it, "#a", []));
    assert.equal(peer.take("PRIVMSG").length, 1);
});

test("a page that comes back tells where it has been, and enters what it has not reached", () => {
    const peer = new Peer();
    peer.enter();
    peer.join("#a");
    peer.session.join("#slow");
    const again = new Peer(peer.store.storage);
    again.session.join("#link");
    again.enter();
    const joins = again.take("JOIN").map((line) => line.replace(/label=\d+;?/, "").replace(/^@ /, ""));
    assert.deepEqual(joins.toSorted(), ["@+trio-chat/remembered=1 JOIN #a", "JOIN #link", "JOIN #slow"]);
});

test("a page that knows no room begins somewhere if it is nowhere, and remembers that", () => {
    const peer = new Peer();
    peer.session.join("#lobby", "", "otherwise");
    peer.enter();
    const joins = peer.take("JOIN").map((line) => line.replace(/label=\d+;?/, ""));
    assert.deepEqual(joins, ["@+trio-chat/otherwise=1 JOIN #lobby"]);
    peer.say(":alice!a@h JOIN #lobby");
    assert.equal(peer.store.kept.rooms["#lobby"].why, "remembered");
    const elsewhere = new Peer();
    elsewhere.session.join("#lobby", "", "otherwise");
    elsewhere.enter();
    elsewhere.say(":alice!a@h JOIN #tea");
    elsewhere.answer("CHATHISTORY LATEST", (it) => page(it, "#tea", []));
    elsewhere.answer("JOIN #lobby", (it) => [`@label=${it} :s BATCH +b labeled-response`, ":s BATCH -b"]);
    assert.equal(elsewhere.told.some(({ type }) => type === "ready"), true);
    elsewhere.session.lost(0);
    elsewhere.enter();
    assert.deepEqual([elsewhere.take("JOIN"), elsewhere.store.kept.rooms], [[], {}]);
});

test("a text is known when it is back under the nickname that we had", () => {
    const peer = new Peer();
    peer.enter("alice_2");
    peer.session.join("#a");
    peer.say("@msgid=0001-1 :alice_2!a@h JOIN #a");
    peer.answer("JOIN #a", (it) => [`@label=${it} :s ACK`]);
    peer.answer("CHATHISTORY", (it) => page(it, "#a", []));
    peer.store.put(text(1));
    peer.session.request({ do: "texts" });
    const [line] = peer.take("PRIVMSG");
    peer.say(echo(line, "0002-1"));
    const said = peer.told.find(({ type }) => type === "said");
    assert.deepEqual([said.own, peer.store.texts, peer.told.filter(({ type }) => type === "failed")], [true, [], []]);
});

test("what the server refuses is kept, with the reason, and can be sent again", () => {
    const peer = new Peer();
    peer.enter();
    peer.join("#a");
    peer.store.put(text(1));
    peer.session.request({ do: "texts" });
    const [line] = peer.take("PRIVMSG");
    peer.say(`@label=${label(line)} :s 404 alice #a :You may not speak here`);
    assert.deepEqual(peer.told.at(-1), { type: "failed", token: text(1).token, why: "You may not speak here" });
    peer.session.request({ do: "texts" });
    assert.deepEqual(peer.take("PRIVMSG"), []);
    peer.session.request({ do: "again", token: text(1).token });
    assert.equal(peer.take("PRIVMSG").length, 1);
});

test("a gap is filled page by page, and what comes live meanwhile does not close it", () => {
    const peer = new Peer();
    const said = (id) => `msgid=${id};time=2026-01-01T00:00:01.000Z :bob!b@h PRIVMSG #a :x`;
    peer.enter();
    peer.join("#a", said("0002-1"));
    peer.session.lost(0);
    peer.enter();
    peer.enters("#a", "0009-1");
    peer.say(`@${said("0009-2")}`);
    peer.answer("CHATHISTORY AFTER #a msgid=0002-1", (it) => page(it, "#a", [said("0003-1"), said("0004-1")]));
    peer.session.lost(0);
    peer.enter();
    peer.enters("#a", "0010-1");
    peer.answer("CHATHISTORY AFTER #a msgid=0004-1", (it) => page(it, "#a", [said("0009-2")]));
    peer.answer("CHATHISTORY AFTER #a msgid=0009-2", (it) => page(it, "#a", []));
    assert.equal(peer.told.at(-1).type, "ready");
});

test("a nickname that is taken is asked for at first, and replaced when we come back", () => {
    const peer = new Peer();
    peer.session.open();
    peer.say(":s 433 * alice :alice is taken.");
    assert.deepEqual(peer.told.at(-1), { type: "refused", about: "nick", why: "alice is taken." });
    peer.enter();
    peer.session.lost(0);
    peer.session.open();
    peer.take();
    for (const expected of ["alice", "alice", "alice", "alice_2", "alice_3"]) {
        peer.say(":s 433 * alice :alice is taken.");
        assert.deepEqual(peer.take("NICK"), [`NICK ${expected}`]);
    }
});

test("a message of several lines is one, also in history", () => {
    const peer = new Peer();
    peer.enter();
    peer.say("@msgid=0002-1;time=2026-01-01T00:00:01.000Z :bob!b@h BATCH +m draft/multiline #a", "@batch=m :bob!b@h PRIVMSG #a :one",
        "@batch=m :bob!b@h PRIVMSG #a :two", "@batch=m;draft/multiline-concat :bob!b@h PRIVMSG #a :three", ":bob!b@h BATCH -m");
    assert.equal(peer.told.at(-1).text, "one\ntwothree");
    peer.say(...page("0", "#a", ["msgid=0002-2 :bob!b@h BATCH +n draft/multiline #a"]).slice(0, 2), "@batch=n :bob!b@h PRIVMSG #a :x", "@batch=h :bob!b@h BATCH -n");
    assert.deepEqual([peer.told.at(-1).text, peer.told.at(-1).id], ["x", "0002-2"]);
});

test("the message of the day is told at first, and to somebody who asks; rooms are entered once", () => {
    const peer = new Peer();
    const motd = (label = "") => [":s 375 alice :- s -", ":s 372 alice :- be kind", ":s 376 alice :End"].map((line) => label + line);
    const notes = () => peer.told.splice(0).filter(({ type }) => type === "note").map(({ text }) => text);
    peer.welcome();
    peer.say(...motd());
    assert.deepEqual(notes(), ["be kind"]);
    peer.join("#a");
    peer.session.lost(0);
    peer.welcome();
    peer.say(...motd());
    assert.deepEqual(notes(), []);
    assert.equal(peer.take("JOIN").length, 1);
    peer.session.request({ do: "raw", place: "#a", line: "MOTD" });
    peer.answer("MOTD", (it) => [`@label=${it} :s BATCH +l labeled-response`, ...motd("@batch=l "), ":s BATCH -l"]);
    assert.deepEqual(notes(), ["be kind"]);
    assert.deepEqual(peer.take(), []);
});

test("a connection that ends before we are let in is tried again, with the server's reason", () => {
    const peer = new Peer();
    peer.session.open();
    peer.say("ERROR :Closing link: The server is shutting down. Goodbye!");
    peer.session.lost(500);
    assert.deepEqual(peer.told, [
        { type: "unlinked", at: 1_700_000_000_500, why: "The server is shutting down. Goodbye!" },
    ]);
    peer.session.open();
    peer.session.lost(500);
    assert.equal(peer.told[1].why, "");
});

test("bans are listed with what they do, and who has set them", () => {
    const peer = new Peer();
    peer.enter();
    peer.join("#a");
    peer.told.length = 0;
    peer.say(
        ":s 367 alice #a m:a:bob chat.local!root 1700000000 3 0 Bob2 :spam",
        ":s 367 alice #a *!*@bad.example al!al 1700000000 4 0 * :",
        ":s 367 alice #a *!*@worse.example al!a@host 1700000000",
    );
    assert.deepEqual(peer.told.filter(({ type }) => type === "note").map(({ text }) => text), [
        "3: account bob (Bob2) is muted by chat.local (root): spam",
        "4: *!*@bad.example is banned by al",
        "*!*@worse.example is banned by al",
    ]);
});

test("nobody hears that it is not kept up to where they have read", () => {
    const peer = new Peer();
    peer.enter();
    peer.join("#a");
    const notes = () => peer.told.filter(({ type }) => type === "note").length;
    const before = notes();
    peer.say(":s FAIL MARKREAD INTERNAL_ERROR #a :It could not be set");
    assert.equal(notes(), before);
    peer.say(":s FAIL RENAME INVALID_PARAMS #a :No such name");
    assert.equal(notes(), before + 1);
});
