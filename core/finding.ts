import type { Code } from "./codes.ts";

/** How much a finding matters: an error stops, a warning loses something, a note loses nothing. */
export type FindingLevel = "error" | "warning" | "note";

/** Something to say about one place of an input document. Findings are collected, never thrown. */
export interface Finding {
  /** The document it is about: `user-data`, `vendor-data`, `vendor-data2`, `meta-data`, `network-config`, or a file name. */
  readonly document: string;
  /** Path of the value inside the document, keys and indices joined by dots; empty for the whole. */
  readonly path: string;
  /** Line, from 1; `null` where the document has no lines. */
  readonly line: number | null;
  /** Column in characters, from 1; `null` where the document has no lines. */
  readonly column: number | null;
  readonly level: FindingLevel;
  readonly code: Code;
  /** What is the matter: lower case, no secret in it. */
  readonly message: string;
  /** What to do about it. */
  readonly hint: string | null;
}

/** Whether any finding is an error. */
export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.level === "error");
}

/** Where a finding stands, for a person: `user-data:5:26 users.0.shell`. */
export function placeOfFinding({ document, line, column, path }: Finding): string {
  const place = line === null ? document : `${document}:${line}:${column ?? 1}`;
  return path === "" ? place : `${place} ${path}`;
}

/** In the order of a document, what has no place in it last. */
export function byPlace(a: Finding, b: Finding): number {
  const end = Number.MAX_SAFE_INTEGER;
  return (a.line ?? end) - (b.line ?? end) || (a.column ?? end) - (b.column ?? end);
}

/** One line for a person: `user-data:5:26 error users.0.ssh_authorized_keys: must be a list [spec/invalid]`. */
export function formatFinding(finding: Finding): string {
  const place =
    finding.line === null
      ? finding.document
      : `${finding.document}:${finding.line}:${finding.column ?? 1}`;
  const path = finding.path === "" ? "" : ` ${finding.path}`;
  const hint = finding.hint === null ? "" : `\n  ${finding.hint}`;
  return `${place} ${finding.level}${path}: ${finding.message} [${finding.code}]${hint}`;
}

/**
 * The path of a finding: keys and indices joined by dots, without characters that a terminal acts
 * on, each key not longer than a person may read.
 */
export function findingPath(path: readonly (string | number)[]): string {
  return path.map((part) => shownKey(String(part))).join(".");
}

/** A key as messages show it; see {@link findingPath}. */
export function shownKey(key: string): string {
  const clean = key.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\ufffd");
  return clean.length <= 100 ? clean : `${clean.slice(0, 99).toWellFormed()}…`;
}
