/** Text of `/proc/self/mountinfo` with these mounts, each `DEVICE POINT TYPE`. */
export function mountinfo(...mounts: readonly string[]): string {
  const lines = mounts.map((mount, index) => {
    const [device, point, type] = mount.split(" ");
    return `${index + 30} 1 259:${index} / ${point} rw,relatime shared:1 - ${type} ${device} rw\n`;
  });
  return lines.join("");
}
