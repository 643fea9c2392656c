import t from "tap";
import { nameChecks, nameOfCheck } from "./check-names.ts";

t.test("the name of a check holds nothing that may be secret", async (t) => {
  const name = (url: string) => nameOfCheck({ type: "http", url });
  const token = "9f86d081884c7d659a2feaa0c55ad015";
  t.equal(name("http://127.0.0.1:8080/health"), "http http://127.0.0.1:8080/health");
  t.equal(
    name(`https://user:p4ss@h.example:8443/v1/${token}/up?key=${token}#${token}`),
    "http https://h.example:8443/v1/…/up",
  );
  t.equal(name(`https://h.example/${token}`), "http https://h.example/…");
  t.equal(name(token), "http an address that cannot be parsed");
  t.equal(nameOfCheck({ type: "command", command: ["curl", token] }), "command curl");
});

t.test("checks that look the same have names of their own", async (t) => {
  const urls = ["a1b2c3d4e5f6", "f6e5d4c3b2a1"].map((token) => `https://h.example/${token}`);
  t.same(nameChecks(urls.map((url) => ({ type: "http", url }))), [
    "http https://h.example/…",
    "http https://h.example/… (2)",
  ]);
});
