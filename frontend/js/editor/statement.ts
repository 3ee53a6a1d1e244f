// The bar beside the statement that the caret is in, as the server split the text, and the colour of hints.
import { RangeSetBuilder, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, GutterMarker, MatchDecorator, ViewPlugin, gutterLineClass } from "@codemirror/view";

export interface Range {
  from: number;
  to: number;
}

/** The statements of the text. */
export const setStatements = StateEffect.define<Range[]>();

const statements = StateField.define<Range[]>({
  create: () => [],
  update(ranges, transaction) {
    for (const effect of transaction.effects) if (effect.is(setStatements)) return effect.value;
    if (!transaction.docChanged) return ranges;
    return ranges.map(({ from, to }) => ({ from: transaction.changes.mapPos(from), to: transaction.changes.mapPos(to, 1) }));
  },
});

const mark = new (class extends GutterMarker {
  override elementClass = "is-statement";
})();

const bar = gutterLineClass.compute(["doc", "selection", statements], (state) => {
  const builder = new RangeSetBuilder<GutterMarker>();
  const ranges = state.field(statements);
  const caret = state.selection.main.head;
  const here = ranges.length > 1 ? ranges.find(({ from, to }) => caret >= from && caret <= to) : undefined;
  if (here && here.to <= state.doc.length) {
    const last = state.doc.lineAt(here.to).number;
    for (let number = state.doc.lineAt(here.from).number; number <= last; number++) {
      const { from } = state.doc.line(number);
      builder.add(from, from, mark);
    }
  }
  return builder.finish();
});

const matcher = new MatchDecorator({ regexp: /\/\*\+.*?\*\//g, decoration: Decoration.mark({ class: "code-hint" }) });

const hints = ViewPlugin.define(
  (view) => ({
    decorations: matcher.createDeco(view),
    update(update) {
      this.decorations = matcher.updateDeco(update, this.decorations);
    },
  }),
  { decorations: (plugin) => plugin.decorations },
);

export const statementBar = [statements, bar, hints, EditorView.baseTheme({ ".code-hint, .code-hint *": { color: "var(--code-hint)" } })];
