// Every text that a person reads goes through t or count, so that all of them
// stand in one list (ui/texts.json, which `go generate ./internal/web` writes)
// and a language is one more such list. English is the key and the fallback.

type Catalog = Record<string, string | string[]>;

let catalog: Catalog = {};
let plural = new Intl.PluralRules("en");
const forms: Intl.LDMLPluralRule[] = ["zero", "one", "two", "few", "many", "other"];

/** Uses a language's texts from now on; several forms of a count stand in the order of CLDR's categories that the language has. */
export function speak(language: string, texts: Catalog): void {
  catalog = texts;
  plural = new Intl.PluralRules(language);
}

function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (all, name: string) => (name in values ? String(values[name]) : all));
}

/** The text in the reader's language; {name} stands for a value. */
export function t(text: string, values?: Record<string, string | number>): string {
  const said = catalog[text];
  const out = typeof said === "string" ? said : text;
  return values ? fill(out, values) : out;
}

/** A number and what it counts: count(2, "{n} event", "{n} events"). */
export function count(n: number, one: string, many: string): string {
  const said = catalog[one];
  let text = n === 1 ? one : many;
  if (Array.isArray(said)) {
    const has = forms.filter((f) => plural.resolvedOptions().pluralCategories.includes(f));
    text = said[has.indexOf(plural.select(n))] ?? text;
  }
  return fill(text, { n });
}

/** Marks a text of a table for the list of texts; t reads it where it is shown. */
export const mark = (text: string): string => text;
