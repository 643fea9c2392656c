/** Files that container managers put into what they start. */
export const containerMarks: readonly string[] = [
  "/run/systemd/container",
  "/run/host/container-manager",
  "/run/.containerenv",
  "/.dockerenv",
];
