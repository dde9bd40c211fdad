import assert from "node:assert/strict";
import { test } from "node:test";

import { Login, LoginError, prepared, Scram } from "#page/login.js";

// RFC 7677, section 3
const NONCE = "rOprNGfwEbeRWgbNEkqO";
const CHALLENGE = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const PROOF = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
const FINAL = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

test("SCRAM is that of the RFC", async () => {
    const scram = new Scram("user", "pencil", NONCE);
    assert.equal(scram.first(), `n,,n=user,r=${NONCE}`);
    assert.equal(await scram.prove(CHALLENGE), PROOF);
    scram.check(FINAL);
    assert.throws(() => scram.check(FINAL.replace("6", "7")), LoginError);
});

test("a server that makes up a challenge, or proves nothing, learns nothing and is not believed", async () => {
    const scram = () => new Scram("user", "pencil", NONCE);
    await assert.rejects(scram().prove(CHALLENGE.replace("i=4096", "i=1")), LoginError);
    await assert.rejects(scram().prove(CHALLENGE.replaceAll(NONCE, "x")), LoginError);
    const login = new Login("user", "pencil", NONCE, ["SCRAM-SHA-256"], true);
    assert.deepEqual(await login.answer("+"), [btoa(`n,,n=user,r=${NONCE}`)]);
    assert.throws(() => login.check(), LoginError);
});

test("the password is only told where nobody overhears it, and where nothing else will do", async () => {
    assert.throws(() => new Login("user", "pencil", NONCE, ["PLAIN"], false), LoginError);
    const token = new Login("user", "0".repeat(32), NONCE, ["PLAIN", "SCRAM-SHA-256"], true);
    assert.equal(token.mechanism, "SCRAM-SHA-256");
    assert.equal(token.refused("no"), "PLAIN");
    const login = new Login("user", "pencil", NONCE, ["PLAIN", "SCRAM-SHA-256"], true);
    assert.throws(() => login.refused("wrong"), /wrong/);
});

test("passwords that look the same are the same", () => {
    assert.equal(prepared("a\u00a0b\u00adc\u2460"), "a bc1");
});
