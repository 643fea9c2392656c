import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import type { PlainData } from "#provisioner/nix-language/from-json.ts";
import { readYaml } from "#provisioner/userdata/yaml.ts";
import type { SourceFile } from "./sources.ts";
import type { Template, Templates } from "./templates.ts";

/**
 * The templates below a directory, each read when it is first asked for: a boot uses few of them. Asking for one
 * that is not whole throws `render/template-broken`.
 */
export function loadTemplates(files: Files, directory: string): Templates {
  const isThere = (name: string) => files.stat(`${directory}/${name}/default.nix`) !== undefined;
  const read = new Map<string, Template>();
  return {
    keys: () => files.list(directory).filter(isThere).values(),
    get(name) {
      const known = read.get(name);
      if (known !== undefined) return known;
      if (!templateName.test(name) || !isThere(name)) return undefined;
      const template = loadTemplate(files, `${directory}/${name}`, name);
      read.set(name, template);
      return template;
    },
  };
}

/** What a name may be, so that none leads out of the directory. */
const templateName = /^[a-z0-9]+(-[a-z0-9]+)*$/;

function loadTemplate(files: Files, directory: string, name: string): Template {
  const page = readYaml(files.readText(`${directory}/template.yaml`) ?? "", {
    document: `${name}/template.yaml`,
  });
  const { title, description, example, apart, networkRenderer, unfree } = (page.value ??
    {}) as Record<string, unknown>;
  const schema: unknown = JSON.parse(files.readText(`${directory}/schema.json`) ?? "null");
  if (
    typeof title !== "string" ||
    typeof description !== "string" ||
    typeof schema !== "object" ||
    schema === null
  ) {
    throw new Fault(
      "render/template-broken",
      `template ${name}: expected default.nix, schema.json, and template.yaml with title and description`,
    );
  }
  return {
    name,
    title,
    description: description.trim(),
    ...(networkRenderer === "NetworkManager" ? { networkRenderer } : {}),
    ...unfreeOf(unfree),
    example: (example ?? {}) as Readonly<Record<string, PlainData>>,
    files: nixFiles(files, directory),
    schema: schema as Readonly<Record<string, unknown>>,
    apart: Array.isArray(apart) ? apart.map(String) : [],
  };
}

function unfreeOf(value: unknown): Pick<Template, "unfree"> {
  const { packages, consent, more } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (!Array.isArray(packages) || typeof consent !== "string") return {};
  const further = Object.entries((more ?? {}) as Readonly<Record<string, unknown>>).map(
    ([parameter, names]) => [parameter, Array.isArray(names) ? names.map(String) : []] as const,
  );
  const unfree = { consent, packages: packages.map(String), more: Object.fromEntries(further) };
  return { unfree };
}

function nixFiles(files: Files, directory: string): readonly SourceFile[] {
  return files
    .list(directory)
    .filter((file) => file.endsWith(".nix"))
    .map((file) => ({
      path: file,
      content: files.readText(`${directory}/${file}`) ?? "",
      mode: 0o644,
    }));
}
