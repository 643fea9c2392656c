import type { Invocation } from "../command.ts";
import { init, keys } from "./keys.ts";
import { assign, exportTo, renew } from "./nodes.ts";
import { release } from "./releases.ts";
import { sign } from "./sign.ts";
import { verify } from "./verify.ts";

/** Verbs of `firstlight fleet` that make and look at what owners sign. */
export const signingVerbs: Readonly<Record<string, (invocation: Invocation) => Promise<number>>> = {
  init,
  keys,
  release,
  sign,
  assign,
  renew,
  export: exportTo,
  verify,
};
