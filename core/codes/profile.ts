import type { CodeTable } from "./entry.ts";

export const profileCodes = {
  "profile/invalid": {
    means: "A hardware profile does not fit its schema.",
    action: "Mend the profile.yaml at the named line.",
  },
  "profile/conflict": {
    means:
      "A component of the machine wants another value than the machine's profile; the profile's is used.",
    action: "Take the value out of the component, or make the profile say the same.",
  },
  "profile/lint": {
    means: "A hardware profile is valid, but something in it is wrong or will go wrong.",
    action: "Read the finding; it names the rule and what to write instead.",
  },
  "profile/test-failed": {
    means:
      "A machine that a hardware profile names in its tests gets another answer than it should.",
    action: "Mend the match rules, or the test, of the named profile.",
  },
  "profile/identity-malformed": {
    means: "A line of a batch is not an identity: a list of ten strings that begins with an id.",
    action:
      "Write each machine as [id, sys_vendor, product_name, product_family, product_version, product_sku, board_vendor, board_name, board_version, chassis_type].",
  },
} as const satisfies CodeTable;
