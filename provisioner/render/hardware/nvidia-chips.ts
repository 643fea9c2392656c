/**
 * Which of NVIDIA's drivers takes a chip. `open`: Turing and newer, whose kernel modules are the open ones;
 * `580`: Maxwell to Volta; `470`: Kepler; `390`: Fermi; `340`: Tesla; `none`: older, of which no driver is left.
 */
export type NvidiaBranch = "open" | "580" | "470" | "390" | "340" | "none";

/**
 * Device ids by the chip, first and last, as the database of PCI ids names them (https://pci-ids.ucw.cz/);
 * what each branch takes by NVIDIA's lists of supported and of legacy products
 * (https://www.nvidia.com/en-us/drivers/unix/legacy-gpu/, https://github.com/NVIDIA/open-gpu-kernel-modules).
 */
const chips: readonly (readonly [first: number, last: number, branch: NvidiaBranch])[] = [
  [0x0190, 0x019f, "340"], // G80
  [0x0400, 0x042f, "340"], // G84, G86
  [0x05e0, 0x06bf, "340"], // GT200, G92, G94, G96
  [0x06c0, 0x06df, "390"], // GF100
  [0x06e0, 0x06ff, "340"], // G98
  [0x0840, 0x08bf, "340"], // MCP77, MCP79, MCP89
  [0x0a20, 0x0a7f, "340"], // GT216, GT218
  [0x0ca0, 0x0cbf, "340"], // GT215
  [0x0dc0, 0x0dff, "390"], // GF106, GF108
  [0x0e20, 0x0e3f, "390"], // GF104
  [0x0f00, 0x0f1f, "390"], // GF108
  [0x0fc0, 0x103f, "470"], // GK107, GK110
  [0x1040, 0x109f, "390"], // GF119, GF110
  [0x10c0, 0x10df, "340"], // GT218
  [0x1140, 0x117f, "390"], // GF117
  [0x1180, 0x11ff, "470"], // GK104, GK106
  [0x1200, 0x127f, "390"], // GF114, GF116
  [0x1280, 0x12bf, "470"], // GK208
  [0x1340, 0x17ff, "580"], // GM107, GM108, GM20x, GP100
  [0x1b00, 0x1dff, "580"], // GP10x, GV100
];

/** TU102 is the first of Turing, and every chip since has a higher id. */
const firstOpen = 0x1e00;

/** The branch for a chip by its device id, four hexadecimal digits. */
export function nvidiaBranch(device: string): NvidiaBranch {
  const id = Number.parseInt(device, 16);
  if (id >= firstOpen) return "open";
  return chips.find(([first, last]) => id >= first && id <= last)?.[2] ?? "none";
}
