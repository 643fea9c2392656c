import type { AccessPoint, Wifi } from "#generated/provisioner/spec/v1.ts";
import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import { refuse } from "../network-parts.ts";
import { setOwn } from "../own-key.ts";
import { flag, type KeyReaders, left, macOf, readKeys, setterFor, textOf, wordOf } from "./keys.ts";

const set = setterFor<AccessPoint>();
const byHand = "set networking.wireless under `firstlight: options`";

/** Keys of a WLAN of version 2 beside those of every device; its passwords go to the draft. */
export function wifiReaders(name: string, draft: SpecDraft): KeyReaders<Wifi> {
  return {
    "access-points": (input, wifi) => {
      if (!input.isMapping()) return input.expected("a mapping of SSIDs");
      if (input.entries().length === 0) input.mark("translated");
      wifi.accessPoints ??= {};
      for (const [ssid, inner] of input.entries()) {
        const point: AccessPoint = {};
        readKeys(inner, point, pointReaders(`network-${name}-${ssid}`, draft));
        if (isOther(inner)) continue; // it would be joined as if it were open
        if (ssid === "" || Buffer.byteLength(ssid) > 32)
          refuse(
            inner,
            "expected an SSID of at most 32 bytes",
            "write the name that the network tells, in quotes",
          );
        else setOwn(wifi.accessPoints, ssid, point);
      }
    },
    wakeonwlan: left("waking up by WLAN is not translated", byHand),
    "regulatory-domain": (input, wifi) => {
      const country = textOf(/^[A-Za-z]{2}$/, "a country of two letters", "DE")(input);
      if (country !== undefined) wifi.regulatoryDomain = country.toUpperCase();
    },
  };
}

/** Whether this is no network to join with a password or without: an enterprise's, or one to be made. */
function isOther(input: Input): boolean {
  const mode = input.get("mode")?.value;
  const management = input.get("auth")?.get("key-management");
  const isUsual =
    management === undefined || ["none", "psk", "sae"].includes(management.scalarText());
  return !isUsual || (mode !== undefined && mode !== "infrastructure");
}

function pointReaders(name: string, draft: SpecDraft): KeyReaders<AccessPoint> {
  const password = (input: Input, point: AccessPoint) => {
    const text = input.text();
    if (text === undefined) return;
    if (!/^[\x20-\x7e]{8,63}$|^[0-9A-Fa-f]{64}$/.test(text))
      return refuse(
        input,
        "expected a password of 8 to 63 letters, or a key of 64 hexadecimal digits",
        "make the key of another one with `wpa_passphrase SSID`",
      );
    point.password = draft.secret(name, text);
  };
  return {
    password,
    hidden: set("hidden", flag),
    bssid: set("bssid", macOf),
    mode: (input) => {
      if (input.value === "infrastructure") input.mark("translated");
      else left("this mode of a WLAN is not translated", byHand)(input);
    },
    band: left("the band is left to the radio", byHand),
    channel: left("the channel is left to the radio", byHand),
    networkmanager: left("settings in NetworkManager's own words are not translated", byHand),
    auth: (input, point) => {
      if (!input.isMapping()) return input.expected("a mapping");
      const management = input.get("key-management");
      if (/^(eap|802\.1x)/.test(management?.scalarText() ?? ""))
        return left("WPA-Enterprise is not translated", byHand)(input);
      readKeys(input, point, {
        "key-management": set("keyManagement", wordOf(["none", "psk", "sae"])),
        password,
      });
    },
  };
}
