import t from "tap";
import { Fault } from "#core/fault.ts";
import { connectFault, lostFault, refusesVersion } from "./connect-fault.ts";

const failure = (message: string, code: string | number) =>
  Object.assign(new Error(message), { code });

t.test("each failure of a connection is told apart, with the place in its message", async (t) => {
  const cases: readonly (readonly [unknown, string, RegExp])[] = [
    [
      failure("connect ECONNREFUSED 192.0.2.1:1883", "ECONNREFUSED"),
      "link/unreachable",
      /^b:1: connect ECONNREFUSED/,
    ],
    [failure("getaddrinfo ENOTFOUND b", "ENOTFOUND"), "link/unreachable", /ENOTFOUND/],
    [
      new AggregateError([failure("connect ECONNREFUSED ::1", "ECONNREFUSED")]),
      "link/unreachable",
      /::1/,
    ],
    [
      failure("self-signed certificate", "DEPTH_ZERO_SELF_SIGNED_CERT"),
      "link/untrusted",
      /self-signed/,
    ],
    [failure("unable to verify", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"), "link/untrusted", /verify/],
    [failure("certificate has expired", "CERT_HAS_EXPIRED"), "link/untrusted", /expired/],
    [failure("altnames", "ERR_TLS_CERT_ALTNAME_INVALID"), "link/untrusted", /altnames/],
    [failure("alert", "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"), "link/untrusted", /alert/],
    [
      failure("Connection refused: Not authorized", 5),
      "link/refused",
      /not authorized|Not authorized/,
    ],
    [failure("Publish error: Not authorized", 135), "link/refused", /publish error/],
    ["a text", "link/unreachable", /a text/],
    [new Fault("link/lost", "already a fault"), "link/lost", /^already/],
  ];
  for (const [error, code, message] of cases)
    t.match(connectFault(error, "b:1"), { code, message });
});

t.test("where one side speaks TLS and the other does not, that is said", async (t) => {
  const hintOf = (message: string, code: string) =>
    connectFault(failure(message, code), "b:1").hint ?? "";
  t.match(hintOf("read ECONNRESET", "ECONNRESET"), /`report\.mqtt\.tls` must be true/);
  t.match(hintOf("wrong version number", "ERR_SSL_WRONG_VERSION_NUMBER"), /is not TLS/);
  t.equal(hintOf("connect ECONNREFUSED", "ECONNREFUSED"), "");
});

t.test("after the connection was made, failures of the system mean that it is lost", async (t) => {
  t.match(lostFault(failure("read ECONNRESET", "ECONNRESET"), "b:1"), {
    code: "link/lost",
    message: "b:1: read ECONNRESET",
  });
  t.match(lostFault(new Fault("link/timeout", "late"), "b:1"), { code: "link/timeout" });
});

t.test("only the two codes of a refused version are that", async (t) => {
  for (const code of [1, 132]) t.equal(refusesVersion(failure("", code)), true);
  for (const error of [
    failure("", 2),
    failure("", 135),
    failure("", "ECONNREFUSED"),
    undefined,
    null,
    new Error("1"),
  ]) {
    t.equal(refusesVersion(error), false);
  }
});
