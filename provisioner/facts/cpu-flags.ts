/** Flags that decide whether something runs, or how fast: the rest of the hundred are noise. */
const flagsThatMatter: ReadonlySet<string> = new Set([
  ..."aes avx avx2 avx512f cppc hypervisor lm pclmulqdq rdrand sha_ni sse4_2 svm vmx".split(" "),
  ..."asimd atomics crc32 pmull sha1 sha2 sve sve2".split(" "),
]);

/** Of a processor's flags those that facts hold, sorted. */
export function factualFlags(flags: readonly string[]): string[] {
  return [...new Set(flags)].filter((flag) => flagsThatMatter.has(flag)).sort();
}
