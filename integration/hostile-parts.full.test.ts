import t from "tap";
import { randomFrom } from "#core/random-from.ts";
import { validate } from "#generated/provisioner/spec/v1.validate.js";
import { translate } from "#provisioner/userdata/translate.ts";
import { randomMessage } from "./oracle/random-message.ts";

t.setTimeout(300_000);

const seed = Number(process.env["FIRSTLIGHT_SEED"] ?? 20_261_127);
const control = /\p{Cc}/u;

t.test(
  `damaged messages come to a spec that fits, and to findings (FIRSTLIGHT_SEED=${seed})`,
  async (t) => {
    const random = randomFrom(seed);
    const context = { hostname: null, publicKeys: [], defaultUser: "nixos", nixModules: true };
    const failures: string[] = [];
    for (let count = 0; count < 2_000; count++) {
      const bytes = Buffer.from(randomMessage(random));
      const damages = random() < 0.5 ? 0 : 5;
      for (let n = 0; n < damages; n++)
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      const userData = { document: "user-data", bytes };
      const { spec, findings } = translate({ userData }, { ...context, fetched: new Map() });
      const isTold = findings.every(
        ({ document, message, line }) =>
          !control.test(document) && !control.test(message) && (line === null || line >= 1),
      );
      if (!validate(spec) || !isTold) failures.push(bytes.toString("latin1"));
    }
    t.same(failures, []);
  },
);
