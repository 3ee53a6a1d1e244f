// Two sources of completion: names from the catalog at once, and what the planner says a moment later.
import type { Completion, CompletionContext, CompletionResult, CompletionSource } from "@codemirror/autocomplete";
import { type SQLDialect, type SQLNamespace, keywordCompletionSource, schemaCompletionSource } from "@codemirror/lang-sql";

/** The catalog as it comes over the border. */
export interface Catalog {
  databases: { name: string; tables: { name: string; detail: string; columns: { name: string; type: string }[] }[] }[];
  functions: string[];
}

/** An answer of the server: offsets are UTF-16. */
export interface Answer {
  from: number;
  items: { label: string; insert: string; kind: string; detail: string; documentation: string }[];
}

export type Ask = (text: string, offset: number) => Promise<string | null>;

/** An open `${`, with what was typed of the name. */
const PARAMETER = /\$\{\w*$/;

export function schema(catalog: Catalog): SQLNamespace {
  const top: Record<string, SQLNamespace> = {};
  for (const database of catalog.databases) {
    const tables: Record<string, SQLNamespace> = {};
    for (const table of database.tables) {
      tables[table.name] = {
        self: { label: table.name, detail: table.detail },
        children: table.columns.map((column) => ({ label: column.name, detail: column.type })),
      };
    }
    top[database.name] = { self: { label: database.name, detail: "database" }, children: tables };
  }
  return top;
}

export function sources(dialect: SQLDialect, catalog: Catalog, ask: Ask): CompletionSource[] {
  // Within ${…} there are the team's variables and nothing else.
  const outside = (source: CompletionSource): CompletionSource => (context) =>
    context.matchBefore(PARAMETER) ? null : source(context);
  const names = outside(schemaCompletionSource({ dialect, schema: schema(catalog) }));
  const words = outside(keywordCompletionSource(dialect, true));
  return [
    // Words and names would drown the answer to "what may stand after this dot" or inside a string.
    (context) => (context.matchBefore(/\.\w*$/) ? null : words(context)),
    names,
    (context) => planned(context, ask, names, words),
  ];
}

async function planned(
  context: CompletionContext,
  ask: Ask,
  ...others: CompletionSource[]
): Promise<CompletionResult | null> {
  const word = context.matchBefore(PARAMETER) ?? context.matchBefore(/[\w$.'-]*$/);
  if (!context.explicit && (!word || word.from === word.to)) return null;
  const known = new Set<string>();
  for (const other of others) {
    for (const option of (await other(context))?.options ?? []) known.add(option.label.toLowerCase());
  }
  const answer = await ask(context.state.doc.toString(), context.pos);
  if (!answer || context.aborted) return null;
  const { from, items } = JSON.parse(answer) as Answer;
  const options = items.filter((item) => !known.has(item.label.toLowerCase())).map(completion);
  return options.length ? { from: Math.min(from, context.pos), options, validFor: /^[\w$-]*$/ } : null;
}

function completion(item: Answer["items"][number]): Completion {
  return {
    label: item.label,
    apply: item.insert,
    // No icons: their characters are missing on many machines. What it is stands in words.
    detail: item.detail || item.kind,
    ...(item.documentation ? { info: item.documentation } : {}),
  };
}
