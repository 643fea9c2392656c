import type { Scenario } from "../scenario.ts";

/** What its SMBIOS says: system and main board. */
export const laptopFirmware = {
  manufacturer: "Framework",
  product: "Laptop 13 (AMD Ryzen 7040Series)",
  board: "FRANMDCP07",
} as const;

/** A machine that is known by what its firmware says, after its first boot. */
export const laptop: Scenario = {
  name: "a laptop",
  steps: () => [
    { why: "the machine is switched on", power: "on" },
    {
      why: "it is what it was",
      says: "boot.finished",
      with: { outcome: "unchanged", generation: 2 },
    },
    {
      why: "its firmware says which machine it is",
      run: ["firstlight", "profiles", "match", "--json"],
      prints: /"profile": "framework\/13-amd-7040"/,
    },
    {
      why: "its board agrees",
      run: ["firstlight", "profiles", "match", "--json"],
      prints: /^ {2}"confidence": "certain"/m,
    },
    {
      why: "its seed lies on a disk",
      run: ["firstlight", "discover", "--json"],
      prints: /"place": "disk \/dev\/vd/,
    },
    { why: "the machine is switched off", power: "off" },
  ],
};
