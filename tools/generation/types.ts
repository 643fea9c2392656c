import { compile } from "json-schema-to-typescript";

/**
 * TypeScript of a schema: the root type named by its `title`, one type for each of `$defs`.
 * `others` are the schemas that it may refer to, by `$id`. Lengths of arrays are left to the
 * validator: as types they would be tuples.
 */
export async function typesModule(
  schema: object,
  title: string,
  others: ReadonlyMap<string, object>,
): Promise<string> {
  return await compile(structuredClone(schema), title, {
    additionalProperties: false,
    bannerComment: "// Made by `npm run generate`; do not edit.",

    ignoreMinAndMaxItems: true,
    unreachableDefinitions: true,
    $refOptions: {
      resolve: {
        file: false,
        http: false,
        house: {
          order: 1,
          canRead: /^https:\/\/firstlight\.dev\/schema\//,
          read: ({ url }: { readonly url: string }) => JSON.stringify(known(others, url)),
        },
      },
    },
  });
}

function known(schemas: ReadonlyMap<string, object>, id: string): object {
  const schema = schemas.get(id);
  if (schema === undefined) throw new Error(`no schema with $id ${id}`);
  return schema;
}
