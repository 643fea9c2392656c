import type { KeyObject } from "node:crypto";
import { Fault } from "#core/fault.ts";
import type { EnrollAnswer } from "#generated/protocol/enroll/answer.ts";
import { validate as isAnswer } from "#generated/protocol/enroll/answer.validate.js";
import type { Challenge } from "#generated/protocol/enroll/challenge.ts";
import { validate as isChallenge } from "#generated/protocol/enroll/challenge.validate.js";
import type { EnrollRequest } from "#generated/protocol/enroll/request.ts";
import type { Submission } from "#generated/protocol/enroll/submission.ts";
import { challengePath, claimPath, maxAnswerBytes } from "#protocol/enroll/limits.ts";
import { signRequest } from "#protocol/enroll/node-key.ts";
import { readMessage } from "#protocol/enroll/read-message.ts";
import type { Courier } from "#provisioner/system/fetch/courier.ts";
import { exchange } from "./exchange.ts";

/** The enrolment server, as a node sees it. */
export interface EnrolServer {
  /** Throws `enroll/unreachable`, `enroll/untrusted`, `enroll/malformed`. */
  challenge(fingerprint: string): Promise<string>;
  /** `keys`: the one that the request is about, and the one from before where the claim is `key`. */
  claim(request: EnrollRequest, keys: SigningKeys): Promise<EnrollAnswer>;
}

/** Who signs a request. */
export interface SigningKeys {
  readonly key: KeyObject;
  readonly previous?: KeyObject | undefined;
}

/** Where it is, and who goes there. */
export interface EnrolServerOptions {
  readonly url: string;
  /** Certificate authority in PEM; no other counts. */
  readonly ca: string;
  readonly courier: Courier;
  readonly signal: AbortSignal;
}

/** A server that is asked through a courier: keys stay here, and only texts go out. */
export function enrolServer({ url, ca, courier, signal }: EnrolServerOptions): EnrolServer {
  const base = url.replace(/\/+$/, "");
  async function post(path: string, body: object): Promise<string> {
    const headers = { "content-type": "application/json" };
    const send = { method: "POST", headers, body: JSON.stringify(body) } as const;
    const options = { courier, signal, maxBytes: maxAnswerBytes };
    const { status, text } = await exchange({ url: base + path, send, ca }, options);
    if (status === 200) return text;
    throw status === 400 || status === 413
      ? new Fault(
          "enroll/malformed",
          `${base}: the server does not understand the request (${status})`,
        )
      : new Fault("enroll/unreachable", `${base}: the server says ${status}`);
  }
  return {
    async challenge(fingerprint) {
      const text = await post(challengePath, { v: 1, key: fingerprint });
      return readMessage<Challenge>(text, isChallenge, "the challenge").challenge;
    },
    async claim(content, { key, previous }) {
      const request = JSON.stringify(content);
      const submission: Submission = {
        ...{ v: 1, request, signature: signRequest(request, key) },
        ...(previous === undefined ? {} : { previousSignature: signRequest(request, previous) }),
      };
      return readMessage<EnrollAnswer>(await post(claimPath, submission), isAnswer, "the answer");
    },
  };
}
