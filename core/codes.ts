import { agentCodes } from "./codes/agent.ts";
import { commandCodes } from "./codes/command.ts";
import { coreCodes } from "./codes/core.ts";
import { datasourceCodes } from "./codes/datasource.ts";
import { enrollCodes } from "./codes/enroll.ts";
import { fleetCodes } from "./codes/fleet.ts";
import { installCodes } from "./codes/install.ts";
import { linkCodes } from "./codes/link.ts";
import { mergeCodes } from "./codes/merge.ts";
import { nixLanguageCodes } from "./codes/nix-language.ts";
import { profileCodes } from "./codes/profile.ts";
import { renderCodes } from "./codes/render.ts";
import { secretCodes } from "./codes/secret.ts";
import { sideCodes } from "./codes/side.ts";
import { signingCodes } from "./codes/signing.ts";
import { specCodes } from "./codes/spec.ts";
import { systemCodes } from "./codes/system.ts";
import { trustCodes } from "./codes/trust.ts";
import { updateCodes } from "./codes/update.ts";
import { userDataCodes } from "./codes/user-data.ts";

/**
 * Every code that firstlight can put in a fault or a finding. Codes are public: they stand in
 * reports, in `docs/codes.md` (generated from here) and in tests, and `firstlight explain CODE`
 * prints their entry. A code is never renamed; one that is no longer used is kept and says so.
 */
export const codes = {
  ...coreCodes,
  ...datasourceCodes,
  ...userDataCodes,
  ...mergeCodes,
  ...specCodes,
  ...secretCodes,
  ...profileCodes,
  ...nixLanguageCodes,
  ...renderCodes,
  ...systemCodes,
  ...sideCodes,
  ...agentCodes,
  ...installCodes,
  ...linkCodes,
  ...trustCodes,
  ...updateCodes,
  ...commandCodes,
  ...enrollCodes,
  ...fleetCodes,
  ...signingCodes,
} as const;

/** One of the public codes, for example `datasource/malformed`. */
export type Code = keyof typeof codes;
