import t from "tap";
import { shownPath } from "./shown-path.ts";

t.test("words of a path are shown, and what looks like a token is not", async (t) => {
  const cases = {
    "/": "/",
    "": "",
    "/health": "/health",
    "/api/v1/nodes/edge-17/readyz": "/api/v1/nodes/edge-17/readyz",
    "/actuator/health.json": "/actuator/health.json",
    "/backups/2026-11-27/20261127": "/backups/2026-11-27/20261127",
    "/getStatus/kubernetes/k8s/": "/getStatus/kubernetes/k8s/",
    "/services/T024BE7LD/B0G9QF9C6/Xq2vTnBYk7dRzc4WmHs1aLpE/ok": "/services/…/…/…/ok",
    "/hook/550e8400-e29b-41d4-a716-446655440000": "/hook/…",
    "/bot8123456789:AAH-kx_1QpZ/getMe": "/…/getMe",
    "/ping/aGVsbG8gd29ybGQK.json": "/ping/…",
    "/ping/XyZaBcDeFg": "/ping/…",
    "/s/%53%65%63%72%65%74%31%32": "/s/…",
    "/s/%ff%fe": "/s/%ff%fe",
    "/123456789012": "/…",
    "/averylongwordwithoutanyend": "/…",
    [`/${"a-".repeat(40)}`]: "/…",
  };
  for (const [path, shown] of Object.entries(cases)) t.equal(shownPath(path), shown, path);
});
