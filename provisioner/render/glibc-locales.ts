/**
 * Languages with the countries that glibc (2.42) has a locale of. Behind those with a `*` there is
 * no other character set than UTF-8, and their names have none.
 */
const countries = `
  aa:DJ,ER*,ET* af:ZA agr:PE* ak:GH* am:ET* an:ES anp:IN*
  ar:AE,BH,DZ,EG,IN*,IQ,JO,KW,LB,LY,MA,OM,QA,SA,SD,SS*,SY,TN,YE as:IN* ast:ES ayc:PE* az:AZ*,IR*
  be:BY bem:ZM* ber:DZ*,MA* bg:BG bhb:IN bho:IN*,NP* bi:VU* bn:BD*,IN* bo:CN*,IN* br:FR brx:IN*
  bs:BA byn:ER* ca:AD,ES,FR,IT ce:RU* chr:US* ckb:IQ* cmn:TW* crh:UA* cs:CZ csb:PL* cv:RU* cy:GB
  da:DK de:AT,BE,CH,DE,IT,LI,LU doi:IN* dsb:DE* dv:MV* dz:BT* el:CY,GR
  en:AG*,AU,BW,CA,DK,GB,HK,IE,IL*,IN*,NG*,NZ,PH,SC,SE,SG,US,ZA,ZM*,ZW
  es:AR,BO,CL,CO,CR,CU*,DO,EC,ES,GT,HN,MX,NI,PA,PE,PR,PY,SV,US,UY,VE et:EE eu:ES,FR fa:IR* ff:SN*
  fi:FI fil:PH* fo:FO fr:BE,CA,CH,FR,LU fur:IT* fy:DE*,NL* ga:IE gbm:IN gd:GB gez:ER*,ET* gl:ES
  glk:IR gu:IN* gv:GB ha:NG* hak:TW* he:IL hi:IN* hif:FJ* hne:IN* hr:HR hsb:DE ht:HT* hu:HU hy:AM*
  ia:FR* id:ID ig:NG* ik:CA* is:IS it:CH,IT iu:CA* ja:JP ka:GE kab:DZ* kk:KZ kl:GL km:KH* kn:IN*
  ko:KR kok:IN* ks:IN* ku:TR kv:RU kw:GB ky:KG* lb:LU* lg:UG li:BE*,NL* lij:IT* ln:CD* lo:LA*
  lt:LT ltg:LV lv:LV lzh:TW* mag:IN* mai:IN*,NP* mfe:MU* mg:MG mhr:RU* mi:NZ miq:NI* mjw:IN* mk:MK
  ml:IN* mn:MN* mni:IN* mnw:MM* mr:IN* ms:MY mt:MT my:MM* nan:TW* nb:NO nds:DE*,NL* ne:NP* nhn:MX*
  niu:NU*,NZ* nl:AW*,BE,NL nn:NO nr:ZA* nso:ZA* oc:FR om:ET*,KE or:IN* os:RU* pa:IN*,PK*
  pap:AW*,CW* pl:PL ps:AF* pt:BR,PT quz:PE* raj:IN* rif:MA* ro:RO ru:RU,UA rw:RW* sa:IN* sah:RU*
  sat:IN* sc:IT* scn:IT sd:IN* se:NO* sgs:LT* shn:MM* shs:CA* si:LK* sid:ET* sk:SK sl:SI sm:WS*
  so:DJ,ET*,KE,SO sq:AL,MK* sr:ME*,RS* ss:ZA* ssy:ER st:ZA su:ID sv:FI,SE sw:KE*,TZ* szl:PL*
  ta:IN*,LK* tcy:IN te:IN* tg:TJ th:TH the:NP* ti:ER*,ET* tig:ER* tk:TM* tl:PH tn:ZA* to:TO*
  tpi:PG* tr:CY,TR ts:ZA* tt:RU* ug:CN* uk:UA unm:US* ur:IN*,PK* uz:UZ ve:ZA* vi:VN* wa:BE wae:CH*
  wal:ET* wo:SN* xh:ZA yi:US yo:NG* yue:HK* yuw:PG* zgh:MA zh:CN,HK,SG,TW zu:ZA
`;

/** Character sets of glibc's locales, as {@link plain} writes them. */
const charsets: ReadonlySet<string> = new Set([
  ...["utf8", "armscii8", "georgianps", "pt154", "rk1048", "tis620", "cp1251", "cp1255"],
  ...[
    "iso88591",
    "iso88592",
    "iso88593",
    "iso88595",
    "iso88596",
    "iso88597",
    "iso88598",
    "iso88599",
  ],
  ...["iso885910", "iso885913", "iso885914", "iso885915", "koi8r", "koi8t", "koi8u"],
  ...["eucjp", "euckr", "euctw", "gb18030", "gb2312", "gbk", "big5", "big5hkscs"],
]);

/** Without a country; `*` as above. */
const alone: ReadonlySet<string> = new Set(["C", "eo*", "syr*", "tok"]);

/** Locales with a modifier, all of them in UTF-8 and without it in their names. */
const modified: ReadonlySet<string> = new Set([
  ...["aa_ER@saaho", "be_BY@latin", "ca_ES@valencia", "gez_ER@abegede", "gez_ET@abegede"],
  ...["ks_IN@devanagari", "nan_TW@latin", "sd_IN@devanagari", "sr_RS@latin", "tt_RU@iqtelif"],
  ...["uz_UZ@cyrillic"],
]);

/** A locale that NixOS can build. */
export interface BuiltLocale {
  /** In UTF-8, as the list SUPPORTED of glibc writes it: `de_CH.UTF-8`, `hi_IN`, `sr_RS@latin`. */
  readonly name: string;
  /** Whether this is what was asked for; else it was asked for in another character set. */
  readonly isAsked: boolean;
}

/**
 * The locale in UTF-8 of a name, the only kind that NixOS builds by itself; `undefined` where glibc
 * is not known to have one of this language, country, character set and modifier.
 */
export function builtLocale(name: string): BuiltLocale | undefined {
  if (name === "POSIX") return { name: "C", isAsked: true };
  const [, place = "", charset, modifier = ""] =
    /^([A-Za-z]+(?:_[A-Z]+)?)(?:\.([A-Za-z0-9-]+))?(@[a-z]+)?$/.exec(name) ?? [];
  if (charset !== undefined && !charsets.has(plain(charset))) return undefined;
  const isUtf8 = charset === undefined || plain(charset) === "utf8";
  if (modified.has(place + modifier)) return { name: place + modifier, isAsked: isUtf8 };
  if (modifier !== "" && modifier !== "@euro") return undefined;
  if (place === "C" && charset === undefined) return { name: "C", isAsked: modifier === "" };
  const suffix = suffixOf(place);
  return suffix === undefined
    ? undefined
    : { name: `${place}${suffix}`, isAsked: isUtf8 && modifier === "" };
}

/** What names of glibc have behind this language and country; `undefined` where it has no locale of them. */
function suffixOf(place: string): "" | ".UTF-8" | undefined {
  const [language, country] = place.split("_");
  const entry = countries.split(/\s+/).find((each) => each.startsWith(`${language}:`));
  const known =
    country === undefined ? alone : new Set(entry?.slice(`${language}:`.length).split(","));
  const wanted = country ?? place;
  if (known.has(`${wanted}*`)) return "";
  return known.has(wanted) ? ".UTF-8" : undefined;
}

/** glibc takes names of character sets in any case, with or without their hyphens. */
function plain(charset: string): string {
  return charset.toLowerCase().replaceAll("-", "");
}
